package io.guilomo.spark.compare;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.family.Families;
import io.guilomo.metric.Interval;
import io.guilomo.metric.PairedDifference;
import io.guilomo.model.UserException;
import io.guilomo.network.BackboneConfig;
import io.guilomo.plan.AllocationStrategies;
import io.guilomo.plan.AllocationStrategy;
import io.guilomo.plan.LearnedAllocation;
import io.guilomo.plan.UniformAllocation;
import io.guilomo.spark.data.DataFiles;
import io.guilomo.spark.evaluate.EvaluateJob;
import io.guilomo.spark.finetune.FinetuneJob;
import io.guilomo.spark.input.JobContext;
import io.guilomo.spark.input.Networks;
import io.guilomo.spark.preflight.Preflight;
import io.guilomo.spark.run.RecordedRun;
import io.guilomo.spark.search.AllocateJob;
import io.guilomo.spark.table.ComparisonTable;
import io.guilomo.spark.table.ComparisonTable.Compared;
import io.guilomo.spark.worker.Workers;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.TreeSet;
import java.util.function.ToDoubleFunction;

/**
 * Allocates, fine-tunes and evaluates with several strategies and seeds, each time as a run of its
 * own with the same budget of parameters, and compares their evaluations. Runs that have finished
 * with the same configuration are not repeated.
 */
public record CompareJob(JobContext context) {

  public static final String NAME = "compare";

  /**
   * What a comparison found.
   *
   * @param runId where its rows are; those of a strategy's runs are in {@code RUN.STRATEGY.SEED}
   */
  public record Result(String runId, List<Compared> rows) {}

  private GuilomoConfig config() {
    return context.config();
  }

  /**
   * Runs what is missing and writes the comparison.
   *
   * @throws UserException for a configuration, model or data that cannot be used
   */
  public Result run() throws IOException {
    config().compare().strategies().forEach(AllocationStrategies::check);
    Preflight.requireFixedWorkers(context.sparkContext().getConf());
    BackboneConfig backbone = Families.config(config().model().requirePath(), context.hadoop());
    config().model().maxLengthFor(backbone.maxPositions());
    // The evaluation, which needs them, begins when all of a trial's training has been done.
    DataFiles.find(config().evaluate().requireData(), context.hadoop());
    RecordedRun run = new RecordedRun(context, NAME, true);
    return run.record(
        String.join(",", config().compare().strategies()),
        Workers.of(config(), context.sparkContext()).count(),
        () -> {
          List<Compared> rows = rows(trials(run.runId()));
          run.tables().replace(ComparisonTable.INSTANCE, rows);
          return new Result(run.runId(), rows);
        });
  }

  private List<Trial> trials(String runId) throws IOException {
    List<Long> seeds = config().compare().seeds();
    List<String> strategies = new ArrayList<>(config().compare().strategies());
    // Its plan is the budget of the others.
    strategies.sort(
        (a, b) -> Boolean.compare(AllocationStrategies.learns(b), AllocationStrategies.learns(a)));
    int all = seeds.size() * strategies.size();
    List<Trial> trials = new ArrayList<>();
    for (long seed : seeds) {
      long budget = config().allocation().budgetParameters();
      for (String strategy : strategies) {
        context.message(
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
            UniformAllocation.STRATEGY, config().allocation(), config().loraMoe())
        .plan(
            Networks.targets(
                config(), Families.config(config().model().requirePath(), context.hadoop())),
            0,
            AllocationStrategy.UNLIMITED)
        .parameters();
  }

  private Trial trial(String runId, String strategy, long seed, long budget) throws IOException {
    JobContext own =
        context.with(
            List.of(
                "run.id=" + runId + "." + strategy + "." + seed,
                "run.seed=" + seed,
                "search.seeds=[]",
                "allocation.strategy=" + strategy,
                "allocation.budget.parameters=" + budget,
                "finetune.plan=",
                "evaluate.adapter="));
    Trial.Records records = new Trial.Records(context.spark(), own.config());
    // The last job of a trial reports on all of it.
    if (!records.finished(AllocateJob.NAME)) {
      new AllocateJob(own, false).run();
    }
    if (!records.finished(FinetuneJob.NAME)) {
      new FinetuneJob(own, false).run();
    }
    if (!records.finished(EvaluateJob.NAME)) {
      new EvaluateJob(own).run();
    }
    return records.trial(strategy, seed);
  }

  /**
   * One row per strategy and metric, in the configured order of the strategies: means over the
   * seeds, and differences from the baseline seed by seed.
   */
  private List<Compared> rows(List<Trial> trials) {
    TreeSet<String> metrics = new TreeSet<>(trials.get(0).metrics().keySet());
    trials.forEach(trial -> metrics.retainAll(trial.metrics().keySet()));
    List<Compared> rows = new ArrayList<>();
    for (String metric : metrics) {
      double[] baseline =
          values(of(config().compare().baseline(), trials), trial -> trial.metrics().get(metric));
      for (String strategy : config().compare().strategies()) {
        rows.add(row(metric, of(strategy, trials), strategy, baseline));
      }
    }
    return rows;
  }

  private Compared row(String metric, List<Trial> trials, String strategy, double[] baseline) {
    double[] values = values(trials, trial -> trial.metrics().get(metric));
    double[] zeros = new double[values.length];
    PairedDifference own = PairedDifference.of(values, zeros);
    PairedDifference difference = PairedDifference.of(values, baseline);
    boolean several = values.length > 1;
    boolean compared = !strategy.equals(config().compare().baseline());
    Interval interval =
        several && compared ? difference.interval(config().evaluate().confidence()) : null;
    return new Compared(
        config().data().train(),
        strategy,
        values.length,
        metric,
        own.mean(),
        several ? own.deviation() : null,
        compared
            ? new ComparisonTable.Difference(
                difference.mean(),
                interval == null ? null : interval.low(),
                interval == null ? null : interval.high())
            : null,
        mean(trials, Trial::parameters),
        mean(trials, Trial::seconds));
  }

  private static List<Trial> of(String strategy, List<Trial> trials) {
    return trials.stream()
        .filter(trial -> trial.strategy().equals(strategy))
        .sorted(Comparator.comparingLong(Trial::seed))
        .toList();
  }

  private static double[] values(List<Trial> trials, ToDoubleFunction<Trial> value) {
    return trials.stream().mapToDouble(value).toArray();
  }

  private static double mean(List<Trial> trials, ToDoubleFunction<Trial> value) {
    return trials.stream().mapToDouble(value).average().orElseThrow();
  }
}
