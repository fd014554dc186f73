package io.guilomo.spark.cli;

import io.guilomo.spark.job.EvaluateJob;
import io.guilomo.spark.job.PredictJob;
import io.guilomo.spark.table.EvaluationsTable.Evaluation;
import java.util.Locale;
import java.util.stream.Collectors;

/** What an evaluation or prediction ended with, for the terminal. */
final class EvaluationReport {

  private EvaluationReport() {}

  static String print(EvaluateJob.Result result) {
    return result.evaluations().stream().map(EvaluationReport::line).collect(Collectors.joining());
  }

  private static String line(Evaluation row) {
    return String.format(
        Locale.ROOT,
        "%-20s %.4f  [%.4f, %.4f]  %,d records\n",
        row.metric(),
        row.value(),
        row.ciLow(),
        row.ciHigh(),
        row.examples());
  }

  static String print(PredictJob.Result result) {
    return String.format(
        Locale.ROOT,
        "%,d rows of run %s in table predictions, %,d without a prediction\n",
        result.rows(),
        result.runId(),
        result.unreadable());
  }
}
