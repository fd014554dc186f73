package io.guilomo.spark.table;

import io.guilomo.metric.Metric;
import java.util.List;

/** One row per metric of an evaluation. */
public final class EvaluationsTable extends Table<EvaluationsTable.Evaluation> {
  public static final EvaluationsTable INSTANCE = new EvaluationsTable();

  /** Mean loss of the right answers. */
  public static final String LOSS = Metric.LOSS.label();

  /** Share of the records whose class is right. */
  public static final String ACCURACY = Metric.ACCURACY.label();

  /** Begins the names of metrics of choices by their probabilities. */
  public static final String CHOICES = "choices_";

  public static final String CHOICES_ACCURACY = CHOICES + ACCURACY;

  /** Share of the records whose generated text has the right answer. */
  public static final String GENERATION_ACCURACY = "generation_" + ACCURACY;

  /**
   * Begins the names of metrics of the first adapter alone, where several adapters or an
   * uncertainty method answer.
   */
  public static final String SINGLE = "single_";

  /** Begins the names of differences from these. */
  public static final String DIFFERENCE = "difference_";

  /**
   * One row.
   *
   * @param split name of the records: {@code test}, …
   * @param metric {@code accuracy}, {@code matthews-correlation}, {@link #CHOICES_ACCURACY}, …
   * @param ciLow lower end of the bootstrap confidence interval
   * @param ciHigh its upper end
   * @param examples number of records
   */
  public record Evaluation(
      long seed,
      String strategy,
      String split,
      String metric,
      double value,
      double ciLow,
      double ciHigh,
      long examples) {}

  /** Whether a metric is of the answers, and not there to compare these with. */
  public static boolean isOfAnswers(String metric) {
    return !metric.startsWith(SINGLE) && !metric.startsWith(DIFFERENCE);
  }

  /** Whether less of a metric is better: a loss or a calibration error. */
  public static boolean lessIsBetter(String metric) {
    return isLoss(metric) || metric.endsWith(Metric.CALIBRATION_ERROR.label());
  }

  /** Whether a metric is a loss, which has no upper bound. */
  public static boolean isLoss(String metric) {
    return metric.equals(LOSS) || metric.endsWith("_" + LOSS);
  }

  private EvaluationsTable() {
    super(
        "evaluations",
        1,
        List.of(
            column("seed", BIGINT, Evaluation::seed),
            column("strategy", STRING, Evaluation::strategy),
            column("split", STRING, Evaluation::split),
            column("metric", STRING, Evaluation::metric),
            column("value", DOUBLE, Evaluation::value),
            column("ci_low", DOUBLE, Evaluation::ciLow),
            column("ci_high", DOUBLE, Evaluation::ciHigh),
            column("examples", BIGINT, Evaluation::examples)));
  }
}
