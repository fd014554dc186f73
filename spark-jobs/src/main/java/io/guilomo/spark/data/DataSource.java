package io.guilomo.spark.data;

import io.guilomo.data.RecordParser;
import io.guilomo.data.Split;
import io.guilomo.model.RecordSource;
import io.guilomo.model.UserException;
import java.nio.charset.Charset;
import java.util.Optional;

/**
 * The data of a run.
 *
 * @param validation empty to hold the validation records out of the training records
 * @param split applies if {@code validation} is empty
 * @param format of the training records; empty to infer it from the extension
 * @param validationFormat of the validation records, likewise
 * @param encoding of the characters of JSON, CSV and TSV
 * @param maxBadFraction fraction of the records of a path that may be bad
 */
public record DataSource(
    RecordSource train,
    Optional<RecordSource> validation,
    Split split,
    Optional<DataFormat> format,
    Optional<DataFormat> validationFormat,
    Charset encoding,
    RecordParser parser,
    double maxBadFraction) {

  public DataSource {
    if (validation.isPresent() && validation.get().equals(train)) {
      throw new UserException(
          "Cannot validate on the training data %s: name other records, or none to hold some out",
          train.name());
    }
    if (validation.isEmpty() && split.fraction() == 0) {
      throw new UserException(
          "Cannot validate without data: set data.validation or a data.validation-fraction above 0");
    }
    if (!(maxBadFraction >= 0 && maxBadFraction <= 1)) {
      throw new UserException(
          "Cannot tolerate a fraction of %s bad records: expected 0 to 1", maxBadFraction);
    }
  }
}
