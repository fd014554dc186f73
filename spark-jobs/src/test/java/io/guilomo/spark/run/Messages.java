package io.guilomo.spark.run;

import io.guilomo.spark.progress.ProgressListener;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Keeps the lines that a job says beside its progress. */
public class Messages implements ProgressListener {

  private final List<String> lines;

  public Messages() {
    this(new ArrayList<>());
  }

  public Messages(List<String> lines) {
    this.lines = lines;
  }

  public List<String> lines() {
    return lines;
  }

  @Override
  public void begin(String task, long rounds) {}

  @Override
  public void round(Map<String, Double> values) {}

  @Override
  public void message(String line) {
    lines.add(line);
  }

  @Override
  public void end() {}
}
