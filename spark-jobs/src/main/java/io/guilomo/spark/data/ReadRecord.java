package io.guilomo.spark.data;

import io.guilomo.data.DataReport;
import io.guilomo.data.TextRecord;
import java.io.Serializable;

/**
 * A record as it was read.
 *
 * @param source what it was read from, as messages name it
 * @param position line or row in the source, from 1
 * @param json its columns as a JSON object, or its raw text if it could not be split into columns
 * @param record null if the record is bad
 * @param reason why the record is bad; null if it is not
 */
public record ReadRecord(
    String source, long position, String json, TextRecord record, String reason)
    implements Serializable {

  public boolean isBad() {
    return record == null;
  }

  /** Reports the record as bad. */
  public DataReport.BadRecord bad(String why) {
    return new DataReport.BadRecord(source, position, why, json);
  }
}
