package io.guilomo.spark.data;

import java.io.Serializable;

/**
 * A line or a row as it was found.
 *
 * @param text a JSON object, or what could not be made one; empty if it holds no record, as a blank
 *     line or a header
 * @param reason why it could not be read; null if it could
 */
record RawRecord(String text, String reason) implements Serializable {

  private static final RawRecord NOTHING = new RawRecord("", null);

  static RawRecord of(String text) {
    return new RawRecord(text, null);
  }

  /** Counts as a line, but holds no record. */
  static RawRecord nothing() {
    return NOTHING;
  }

  boolean isNothing() {
    return reason == null && text.isBlank();
  }
}
