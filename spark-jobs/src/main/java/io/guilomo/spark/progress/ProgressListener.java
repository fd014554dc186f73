package io.guilomo.spark.progress;

import java.util.Map;

/** How far a job has come: called on the driver, by any thread. */
public interface ProgressListener {

  /** Work of a number of rounds begins; what was begun before has ended. */
  void begin(String task, long rounds);

  /**
   * A round is done.
   *
   * @param values what was measured in it, such as losses, in the order to show them
   */
  void round(Map<String, Double> values);

  /** Something the user should know, on one line. */
  void message(String line);

  /** The work has ended, whether it succeeded or failed. */
  void end();
}
