package io.guilomo.spark.round;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.guilomo.io.StrictObject;

/**
 * What the validation records say of a model.
 *
 * @param loss mean cross-entropy over the labels, in nats
 * @param accuracy share of the labels that were predicted
 * @param labels of all records that were measured
 */
public record ValidationResult(double loss, double accuracy, long labels) {

  private static final ObjectMapper MAPPER = new ObjectMapper();

  /** JSON from which {@link #fromJson} reads the same values, bit for bit. */
  public ObjectNode toJson() {
    return MAPPER
        .createObjectNode()
        .put("loss", loss)
        .put("accuracy", accuracy)
        .put("labels", labels);
  }

  public static ValidationResult fromJson(StrictObject json) {
    ValidationResult result =
        new ValidationResult(
            json.number("loss"),
            json.number("accuracy"),
            json.integer("labels", 0, Long.MAX_VALUE));
    json.end();
    return result;
  }
}
