package io.guilomo.spark.progress;

import java.util.Map;

/** Adds up the progress of concurrent searches for one listener. */
public final class SharedProgress implements ProgressListener {

  private final ProgressListener listener;
  private final int searches;
  private boolean begun;

  public SharedProgress(ProgressListener listener, int searches) {
    this.listener = listener;
    this.searches = searches;
  }

  @Override
  public synchronized void begin(String task, long rounds) {
    if (!begun) {
      begun = true;
      listener.begin(task, rounds * searches);
    }
  }

  @Override
  public synchronized void round(Map<String, Double> values) {
    listener.round(values);
  }

  @Override
  public synchronized void message(String line) {
    listener.message(line);
  }

  @Override
  public synchronized void end() {
    listener.end();
  }
}
