package io.guilomo.metric;

import java.io.Serializable;

/** A confidence interval. */
public record Interval(double low, double high) implements Serializable {

  static void checkConfidence(double confidence) {
    if (!(confidence >= 0 && confidence < 1)) {
      throw new IllegalArgumentException(
          String.format(
              "Cannot give an interval of confidence %s: it must be in [0, 1)", confidence));
    }
  }
}
