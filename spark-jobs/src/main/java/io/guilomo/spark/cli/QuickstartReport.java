package io.guilomo.spark.cli;

import io.guilomo.spark.job.QuickstartJob;
import io.guilomo.spark.table.EvaluationsTable.Evaluation;
import java.util.List;
import java.util.Locale;

/** What the quick start found, for the terminal. */
final class QuickstartReport {

  private QuickstartReport() {}

  static String print(QuickstartJob.Result result) {
    StringBuilder report = new StringBuilder(SearchReport.print(result.search()));
    for (Evaluation learned : result.learned().evaluations()) {
      if (report.indexOf("after training") < 0) {
        report.append(
            format(
                "after training, on %,d records that no training saw, the learned plan and the uniform one of"
                    + " %,d and %,d parameters have\n",
                learned.examples(),
                result.learned().plan().parameters(),
                result.uniform().plan().parameters()));
      }
      report.append(
          format(
              "  %-20s  %s and %s\n",
              learned.metric(),
              value(learned),
              value(of(learned.metric(), result.uniform().evaluations()))));
    }
    return report.append(format("report: %s\n", result.report())).toString();
  }

  private static Evaluation of(String metric, List<Evaluation> evaluations) {
    return evaluations.stream()
        .filter(evaluation -> evaluation.metric().equals(metric))
        .findFirst()
        .orElseThrow();
  }

  private static String value(Evaluation evaluation) {
    return format("%.4f [%.4f, %.4f]", evaluation.value(), evaluation.ciLow(), evaluation.ciHigh());
  }

  private static String format(String pattern, Object... values) {
    return String.format(Locale.ROOT, pattern, values);
  }
}
