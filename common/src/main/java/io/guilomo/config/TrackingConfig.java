package io.guilomo.config;

import io.guilomo.model.UserException;
import java.net.URI;
import java.net.URISyntaxException;

/**
 * Where jobs are tracked; {@code guilomo.tracking}.
 *
 * @param mlflowUri of an MLflow server, without a slash at its end; empty: none
 * @param mlflowExperiment name of the experiment that has the runs
 */
public record TrackingConfig(String mlflowUri, String mlflowExperiment) {

  static TrackingConfig of(ConfigSection section) {
    ConfigSection mlflow = section.section("mlflow");
    String experiment = mlflow.text("experiment");
    if (experiment.isBlank()) {
      throw mlflow.refuse("experiment", "must name an experiment");
    }
    return new TrackingConfig(uri(mlflow), experiment);
  }

  private static String uri(ConfigSection mlflow) {
    String text = mlflow.text("uri").strip();
    if (text.isEmpty()) {
      return "";
    }
    // Not quoted, as every other refused value is: it may hold a password.
    if (text.contains("@")) {
      throw new UserException(
          "Cannot use guilomo.tracking.mlflow.uri with credentials in it: set"
              + " MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN,"
              + " in the driver's environment");
    }
    try {
      URI uri = new URI(text);
      boolean web =
          "http".equalsIgnoreCase(uri.getScheme()) || "https".equalsIgnoreCase(uri.getScheme());
      if (web && uri.getHost() != null && uri.getQuery() == null && uri.getFragment() == null) {
        return text.replaceAll("/+$", "");
      }
    } catch (URISyntaxException e) {
      // Refused as all others are.
    }
    throw mlflow.refuse("uri", "must be the address of a server, such as http://mlflow:5000");
  }
}
