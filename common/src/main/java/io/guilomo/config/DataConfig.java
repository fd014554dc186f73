package io.guilomo.config;

import io.guilomo.model.RecordSource;
import io.guilomo.model.UserException;
import java.nio.charset.Charset;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The records; {@code guilomo.data}.
 *
 * @param records where the training records are; blank if not given, see {@link #requireTrain}
 * @param validationRecords where the validation records are; blank: a fraction of the training
 *     records
 * @param validationFormat of the validation records; that of the others if not given
 * @param encoding of JSON, CSV and TSV files
 * @param columns column names by field, for fields whose columns have unusual names
 * @param labels empty: the labels that occur
 */
public record DataConfig(
    RecordSource records,
    RecordSource validationRecords,
    String format,
    String validationFormat,
    Charset encoding,
    String task,
    Map<String, String> columns,
    List<String> labels,
    String promptTemplate,
    boolean trainOnInputs,
    double validationFraction,
    double maxBadFraction) {

  private static final List<String> FORMATS = List.of("auto", "json", "parquet", "csv", "tsv");
  private static final List<String> TASKS =
      List.of("causal-lm", "multiple-choice", "classification");
  private static final List<String> FIELDS =
      List.of(
          "instruction",
          "input",
          "output",
          "answer",
          "messages",
          "prompt",
          "completion",
          "question",
          "choices",
          "hint",
          "sentence",
          "sentence2",
          "label");

  static DataConfig of(ConfigSection section) {
    ConfigSection given = section.section("columns");
    Map<String, String> columns = new TreeMap<>();
    for (String field : FIELDS) {
      String column = given.text(field);
      if (!column.isBlank()) {
        columns.put(field, column);
      }
    }
    List<String> labels = section.texts("labels");
    if (labels.size() == 1 || labels.stream().distinct().count() < labels.size()) {
      throw section.refuse("labels", "must be at least two different classes");
    }
    return new DataConfig(
        section.records("train", "table", "query"),
        section.records("validation", "validation-table", "validation-query"),
        section.oneOf("format", FORMATS),
        validationFormat(section),
        encoding(section),
        section.oneOf("task", TASKS),
        Map.copyOf(columns),
        labels,
        section.text("prompt-template"),
        section.flag("train-on-inputs"),
        section.fraction("validation-fraction"),
        section.share("max-bad-fraction"));
  }

  private static String validationFormat(ConfigSection section) {
    return section.text("validation-format").isBlank()
        ? section.oneOf("format", FORMATS)
        : section.oneOf("validation-format", FORMATS);
  }

  private static Charset encoding(ConfigSection section) {
    try {
      return Charset.forName(section.text("encoding"));
    } catch (IllegalArgumentException e) {
      throw section.refuse(
          "encoding", "must be a character encoding, such as UTF-8 or windows-1252");
    }
  }

  /** Path of the training records; blank if they are no files. */
  public String train() {
    return records.isPath() ? records.text() : "";
  }

  /** Path of the validation records; blank if there are none, or if they are no files. */
  public String validation() {
    return validationRecords.isPath() ? validationRecords.text() : "";
  }

  /**
   * @throws UserException if there are none
   */
  public RecordSource requireTrain() {
    if (records.isBlank()) {
      throw new UserException(
          "Cannot run without training records: set guilomo.data.train, data.table or data.query");
    }
    return records;
  }
}
