package io.guilomo.spark.tracking;

import io.guilomo.config.TrackingConfig;
import java.io.IOException;

/** Whether an MLflow server can record jobs. */
public final class MlflowCheck {

  private MlflowCheck() {}

  /**
   * Asks the server for the experiment.
   *
   * @return what it says, in one line
   * @throws IOException with the reason if it does not answer or refuses to
   */
  public static String run(TrackingConfig config) throws IOException {
    try {
      boolean found = new MlflowClient(config, System.getenv()).findExperiment().isPresent();
      return "%s answers, experiment %s %s"
          .formatted(
              config.mlflowUri(),
              config.mlflowExperiment(),
              found ? "is there" : "will be created");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }
}
