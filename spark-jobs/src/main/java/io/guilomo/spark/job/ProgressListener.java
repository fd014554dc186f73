package io.guilomo.spark.job;

import java.util.Map;

/** Is told how far a job has come, on the driver and by one thread at a time. */
public interface ProgressListener {

  /** Work of so many rounds begins; what was begun before is over. */
  void begin(String task, long rounds);

  /**
   * A round is done.
   *
   * @param values what was measured in it, such as losses, in the order to show them
   */
  void round(Map<String, Double> values);

  /** Something the user should know, on one line. */
  void message(String line);

  /** The work is over, for whatever reason. */
  void end();
}
