package io.guilomo.spark.job;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.guilomo.io.StrictObject;
import io.guilomo.spark.training.ValidationLoss.Measured;

/** A validation as JSON, of which nothing is lost. */
final class MeasuredJson {

  private static final ObjectMapper MAPPER = new ObjectMapper();

  private MeasuredJson() {}

  static ObjectNode of(Measured measured) {
    return MAPPER
        .createObjectNode()
        .put("loss", measured.loss())
        .put("accuracy", measured.accuracy())
        .put("labels", measured.labels());
  }

  static Measured read(StrictObject json) {
    Measured measured =
        new Measured(
            json.number("loss"),
            json.number("accuracy"),
            json.integer("labels", 0, Long.MAX_VALUE));
    json.end();
    return measured;
  }
}
