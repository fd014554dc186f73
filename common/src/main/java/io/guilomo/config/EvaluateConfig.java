package io.guilomo.config;

import io.guilomo.model.RecordSource;
import io.guilomo.model.UserException;
import java.util.List;

/**
 * Scoring and prediction; {@code guilomo.evaluate}.
 *
 * @param records where the records to score or predict are; blank if not given
 * @param adapter directory of the adapter; empty: the best adapter of the run
 * @param batchSize records per batch
 * @param methods how language models are scored: {@code generation}, {@code choices}, {@code text}
 * @param confidence confidence level of the intervals
 * @param bootstrapSamples bootstrap samples per interval
 */
public record EvaluateConfig(
    RecordSource records,
    String adapter,
    int batchSize,
    List<String> methods,
    double confidence,
    int bootstrapSamples) {

  private static final List<String> METHODS = List.of("generation", "choices", "text");

  static EvaluateConfig of(ConfigSection section) {
    List<String> methods = section.texts("methods");
    if (methods.isEmpty() || !METHODS.containsAll(methods)) {
      throw section.refuse("methods", "must be some of " + String.join(", ", METHODS));
    }
    return new EvaluateConfig(
        section.records("data", "table", "query"),
        section.text("adapter"),
        section.whole("batch-size", 1),
        methods,
        section.fraction("confidence"),
        section.whole("bootstrap-samples", 1));
  }

  /** Path of the records; blank if they are no files. */
  public String data() {
    return records.isPath() ? records.text() : "";
  }

  /**
   * @throws UserException if there are none
   */
  public RecordSource requireData() {
    if (records.isBlank()) {
      throw new UserException(
          "Cannot run without records: set guilomo.evaluate.data, evaluate.table or"
              + " evaluate.query");
    }
    return records;
  }
}
