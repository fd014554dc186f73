package io.guilomo.spark.table;

import io.guilomo.config.Axes;
import java.util.List;
import java.util.function.Function;
import org.apache.spark.sql.Row;

/** One row per strategy, budget, routing, sharing and metric of a comparison. */
public final class ComparisonTable extends Table<ComparisonTable.Compared> {
  public static final ComparisonTable INSTANCE = new ComparisonTable();

  /** Name of the full allocation's rows, which is no strategy that a user chooses. */
  public static final String FULL = "full";

  /** What the seeds vary in intervals. */
  public static final String OVER_SEEDS = "seeds";

  /** What the test records vary in intervals, where there is a single seed. */
  public static final String OVER_RECORDS = "records";

  /**
   * One row.
   *
   * @param task path of the training records
   * @param routing {@code lora-moe.routing}; null in rows of earlier releases
   * @param sharing {@code lora-moe.sharing}; null in rows of earlier releases
   * @param seeds number of seeds
   * @param score with the metric on the test records
   * @param difference from the baseline with the same budget; null for the baseline itself
   * @param size of the plans
   * @param training what came of the validation records; null in rows of earlier releases
   * @param random how many random plans are worse; null if there are none
   */
  public record Compared(
      String task,
      String strategy,
      String routing,
      String sharing,
      long seeds,
      String metric,
      Score score,
      Difference difference,
      Size size,
      Cost cost,
      Training training,
      RandomPlans random) {

    /** Reads a row of the table. */
    public static Compared of(Row row) {
      Double difference = row.getAs("diff_to_baseline");
      Double rate = row.getAs("learning_rate");
      Long randomPlans = row.getAs("random_plans");
      return new Compared(
          row.getAs("task"),
          row.getAs("strategy"),
          row.getAs("routing"),
          row.getAs("sharing"),
          row.getAs("seeds"),
          row.getAs("metric"),
          new Score(
              row.getAs("mean"), row.getAs("sd"), row.getAs("mean_low"), row.getAs("mean_high")),
          difference == null
              ? null
              : new Difference(
                  difference,
                  row.getAs("ci_low"),
                  row.getAs("ci_high"),
                  row.getAs("ci_over"),
                  row.getAs("p_value")),
          new Size(row.getAs("parameters"), row.getAs("budget"), row.getAs("full_parameters")),
          new Cost(row.getAs("seconds"), row.getAs("search_seconds"), row.getAs("search_epochs")),
          rate == null
              ? null
              : new Training(
                  rate,
                  row.getAs("validation_loss"),
                  row.getAs("gap_to_full"),
                  row.getAs("as_good_confidence")),
          randomPlans == null
              ? null
              : new RandomPlans(randomPlans, row.getAs("random_plans_beaten")));
    }
  }

  /**
   * Over the seeds.
   *
   * @param sd sample standard deviation; null for a single seed
   * @param low lower end of the mean's confidence interval; null for a single seed and in rows of
   *     earlier releases
   * @param high its upper end
   */
  public record Score(double mean, Double sd, Double low, Double high) {}

  /**
   * How a strategy, at its routing and sharing, differs from the baseline, at the first of each.
   *
   * @param mean over the seeds
   * @param low lower end of the paired confidence interval; null if there is none
   * @param high its upper end
   * @param over what varies in the interval: {@link #OVER_SEEDS} or {@link #OVER_RECORDS}; null in
   *     rows of earlier releases, whose intervals are over seeds
   * @param probability of a difference this large where the strategies do not differ, two-sided;
   *     null for a single seed and in rows of earlier releases
   */
  public record Difference(double mean, Double low, Double high, String over, Double probability) {

    /** Whether there is an interval over the seeds. */
    public boolean ofSeeds() {
      return low != null && !OVER_RECORDS.equals(over);
    }

    /** Whether there is an interval over the seeds and it does not contain 0. */
    public boolean excludesZero() {
      return ofSeeds() && (low > 0 || high < 0);
    }

    /**
     * Whether the seeds show a difference.
     *
     * @param level what the p-value may be at most; rows of earlier releases, which have none, go
     *     by their interval
     */
    public boolean beyondChance(double level) {
      return ofSeeds() && probability != null ? probability <= level : excludesZero();
    }
  }

  /**
   * Trainable parameters.
   *
   * @param parameters of the plans, mean over the seeds
   * @param budget most that a plan might have; null if every seed has its own
   * @param full of the full allocation, at the first routing and sharing; null in rows of earlier
   *     releases
   */
  public record Size(double parameters, Long budget, Long full) {}

  /**
   * Means over the seeds.
   *
   * @param seconds of search, fine-tuning and evaluation
   * @param searchSeconds of the search; 0 for a strategy without one; null in rows of earlier
   *     releases
   * @param searchEpochs the same in epochs of fine-tuning the found plan; null if the length of an
   *     epoch is not known
   */
  public record Cost(double seconds, Double searchSeconds, Double searchEpochs) {}

  /**
   * What the validation records decided and said.
   *
   * @param learningRate the strategy's best
   * @param loss of the kept adapters, mean over the seeds
   * @param gapToFull by how much the loss is above the full allocation's, relative to it, mean over
   *     the seeds; null if that was not trained
   * @param asGood confidence that the gap is below {@code compare.margin}; null for a single seed
   */
  public record Training(double learningRate, double loss, Double gapToFull, Double asGood) {}

  /**
   * Random plans of the same budget, each trained with a seed of the strategy's.
   *
   * @param beaten those that score worse than the strategy does with the same seed
   */
  public record RandomPlans(long plans, long beaten) {}

  private ComparisonTable() {
    super(
        "comparison",
        3,
        List.of(
            column("task", STRING, Compared::task),
            column("strategy", STRING, Compared::strategy),
            column("seeds", BIGINT, Compared::seeds),
            column("metric", STRING, Compared::metric),
            column("mean", DOUBLE, row -> row.score().mean()),
            column("sd", DOUBLE, row -> row.score().sd()),
            column("diff_to_baseline", DOUBLE, of(Compared::difference, Difference::mean)),
            column("ci_low", DOUBLE, of(Compared::difference, Difference::low)),
            column("ci_high", DOUBLE, of(Compared::difference, Difference::high)),
            column("parameters", DOUBLE, row -> row.size().parameters()),
            column("seconds", DOUBLE, row -> row.cost().seconds()),
            column("mean_low", DOUBLE, row -> row.score().low()),
            column("mean_high", DOUBLE, row -> row.score().high()),
            column("ci_over", STRING, of(Compared::difference, Difference::over)),
            column("p_value", DOUBLE, of(Compared::difference, Difference::probability)),
            column("budget", BIGINT, row -> row.size().budget()),
            column("full_parameters", BIGINT, row -> row.size().full()),
            column("search_seconds", DOUBLE, row -> row.cost().searchSeconds()),
            column("search_epochs", DOUBLE, row -> row.cost().searchEpochs()),
            column("learning_rate", DOUBLE, of(Compared::training, Training::learningRate)),
            column("validation_loss", DOUBLE, of(Compared::training, Training::loss)),
            column("gap_to_full", DOUBLE, of(Compared::training, Training::gapToFull)),
            column("as_good_confidence", DOUBLE, of(Compared::training, Training::asGood)),
            column("random_plans", BIGINT, of(Compared::random, RandomPlans::plans)),
            column("random_plans_beaten", BIGINT, of(Compared::random, RandomPlans::beaten)),
            column("routing", STRING, Compared::routing),
            column("sharing", STRING, Compared::sharing)));
  }

  /**
   * What the rows of a comparison are called: by their strategy and, where these differ, routing
   * and sharing.
   *
   * @param rows of one run
   */
  public static Function<Compared, String> names(List<Compared> rows) {
    Axes axes =
        new Axes(
            rows.stream().map(Compared::routing).distinct().toList(),
            rows.stream().map(Compared::sharing).distinct().toList());
    return row -> axes.combination(row.routing(), row.sharing()).of(row.strategy());
  }

  /** Null where the row has no such part. */
  private static <P> Function<Compared, Object> of(
      Function<Compared, P> part, Function<P, Object> value) {
    return row -> part.apply(row) == null ? null : value.apply(part.apply(row));
  }
}
