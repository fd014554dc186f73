package io.guilomo.spark.cli;

import io.guilomo.spark.job.CompareJob;
import io.guilomo.spark.table.ComparisonTable.Compared;
import java.util.Locale;

/** What a comparison found, for the terminal. */
final class ComparisonReport {

  private ComparisonReport() {}

  static String print(CompareJob.Result result) {
    StringBuilder report = new StringBuilder();
    String metric = "";
    for (Compared row : result.rows()) {
      if (!row.metric().equals(metric)) {
        metric = row.metric();
        report.append(format("%s, mean over %d seeds\n", metric, row.seeds()));
      }
      report.append(
          format("  %-14s %.4f%s%s", row.strategy(), row.mean(), deviation(row), difference(row)));
      report.append(format("  %,.0f parameters, %.0f s\n", row.parameters(), row.seconds()));
    }
    return report.toString();
  }

  private static String deviation(Compared row) {
    return row.sd() == null ? "" : format(" ± %.4f", row.sd());
  }

  private static String difference(Compared row) {
    if (row.diffToBaseline() == null) {
      return "  baseline";
    }
    String interval =
        row.ciLow() == null ? "" : format(" [%+.4f, %+.4f]", row.ciLow(), row.ciHigh());
    return format("  %+.4f", row.diffToBaseline()) + interval;
  }

  private static String format(String pattern, Object... values) {
    return String.format(Locale.ROOT, pattern, values);
  }
}
