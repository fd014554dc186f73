package io.guilomo.spark.job;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.family.Families;
import io.guilomo.model.UserException;
import io.guilomo.plan.AllocationStrategies;
import io.guilomo.plan.AllocationStrategy;
import io.guilomo.plan.LearnedAllocation;
import io.guilomo.plan.UniformAllocation;
import io.guilomo.spark.table.ComparisonTable;
import io.guilomo.spark.table.ComparisonTable.Compared;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.SparkSession;

/**
 * Allocates, fine-tunes and evaluates with several strategies and seeds, each time as a run of its
 * own with the same budget of parameters, and compares what came of it. Runs that have finished
 * with the same configuration are not run again.
 */
public final class CompareJob {

  static final String NAME = "compare";

  private final SparkSession spark;
  private final GuilomoConfig config;
  private final ProgressListener progress;
  private final Configuration hadoop;

  /**
   * What a comparison found.
   *
   * @param runId where its rows are; those of a strategy's runs are in {@code RUN.STRATEGY.SEED}
   */
  public record Result(String runId, List<Compared> rows) {}

  public CompareJob(SparkSession spark, GuilomoConfig config, ProgressListener progress) {
    this.spark = spark;
    this.config = config;
    this.progress = progress;
    this.hadoop = spark.sparkContext().hadoopConfiguration();
  }

  /**
   * Runs what is missing and writes the comparison.
   *
   * @throws UserException for a configuration, model or data that cannot be used
   */
  public Result run() throws IOException {
    config.compare().strategies().forEach(AllocationStrategies::check);
    Preflight.requireFixedWorkers(spark.sparkContext().getConf());
    RecordedRun run = new RecordedRun(spark, config, NAME, progress, true);
    return run.record(
        String.join(",", config.compare().strategies()),
        Workers.of(config, spark.sparkContext()).count(),
        () -> {
          List<Compared> rows = Comparison.rows(config, trials(run.runId()));
          run.tables().replace(ComparisonTable.INSTANCE, rows);
          return new Result(run.runId(), rows);
        });
  }

  private List<Trial> trials(String runId) throws IOException {
    List<Long> seeds = config.compare().seeds();
    List<String> strategies = new ArrayList<>(config.compare().strategies());
    // Its plan is the budget of the others.
    strategies.sort(
        (a, b) -> Boolean.compare(AllocationStrategies.learns(b), AllocationStrategies.learns(a)));
    int all = seeds.size() * strategies.size();
    List<Trial> trials = new ArrayList<>();
    for (long seed : seeds) {
      long budget = config.allocation().budgetParameters();
      for (String strategy : strategies) {
        progress.message(
            String.format("%s, seed %d: run %d of %d", strategy, seed, trials.size() + 1, all));
        if (budget == AllocationStrategy.UNLIMITED && !AllocationStrategies.learns(strategy)) {
          budget = uniformBudget();
        }
        Trial trial = trial(runId, strategy, seed, budget);
        if (strategy.equals(LearnedAllocation.STRATEGY)) {
          budget = trial.parameters();
        }
        trials.add(trial);
      }
    }
    return trials;
  }

  /** Where nothing is learned and no budget given: what the configured uniform plan has. */
  private long uniformBudget() throws IOException {
    return AllocationStrategies.of(
            UniformAllocation.STRATEGY, config.allocation(), config.loraMoe())
        .plan(
            ModelChecks.targets(config, Families.config(config.model().requirePath(), hadoop)),
            0,
            AllocationStrategy.UNLIMITED)
        .parameters();
  }

  private Trial trial(String runId, String strategy, long seed, long budget) throws IOException {
    GuilomoConfig own =
        config.with(
            List.of(
                "run.id=" + runId + "." + strategy + "." + seed,
                "run.seed=" + seed,
                "search.seeds=[]",
                "allocation.strategy=" + strategy,
                "allocation.budget.parameters=" + budget,
                "finetune.plan=",
                "evaluate.adapter="));
    Trial.Records records = new Trial.Records(spark, own);
    // The last job of a trial reports on all of it.
    if (!records.finished(AllocateJob.NAME)) {
      new AllocateJob(spark, own, progress, false).run();
    }
    if (!records.finished(FinetuneJob.NAME)) {
      new FinetuneJob(spark, own, progress, false).run();
    }
    if (!records.finished(EvaluateJob.NAME)) {
      new EvaluateJob(spark, own, progress).run();
    }
    return records.trial(strategy, seed);
  }
}
