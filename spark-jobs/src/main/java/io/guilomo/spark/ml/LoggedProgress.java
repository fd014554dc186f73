package io.guilomo.spark.ml;

import io.guilomo.spark.progress.ProgressListener;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Progress of a job that a program runs, in the driver's log. */
final class LoggedProgress implements ProgressListener {

  private static final Logger LOG = LoggerFactory.getLogger(LoggedProgress.class);

  private String task = "";
  private long rounds;
  private long done;

  @Override
  public void begin(String name, long planned) {
    task = name;
    rounds = planned;
    done = 0;
  }

  @Override
  public void round(Map<String, Double> values) {
    done++;
    LOG.info("{}: round {} of {} {}", task, done, rounds, values);
  }

  @Override
  public void message(String line) {
    if (line.startsWith("warning: ")) {
      LOG.warn("{}", line.substring("warning: ".length()));
    } else {
      LOG.info("{}", line);
    }
  }

  @Override
  public void end() {}
}
