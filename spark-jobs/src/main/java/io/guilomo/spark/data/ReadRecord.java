package io.guilomo.spark.data;

import io.guilomo.data.DataReport;
import io.guilomo.data.TextRecord;
import java.io.Serializable;

/**
 * One record as it was read.
 *
 * @param source file or directory
 * @param position its line or row in there, from 1
 * @param json its columns as a JSON object, or the raw text of a record that has none
 * @param record null for a bad record
 * @param reason why the record is bad, else null
 */
public record ReadRecord(
    String source, long position, String json, TextRecord record, String reason)
    implements Serializable {

  public boolean isBad() {
    return record == null;
  }

  /** The record as one that cannot be used. */
  public DataReport.BadRecord bad(String why) {
    return new DataReport.BadRecord(source, position, why, json);
  }
}
