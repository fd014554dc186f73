package io.guilomo.spark.compare;

import io.guilomo.config.Axes;
import io.guilomo.config.Axes.Combination;
import io.guilomo.config.GuilomoConfig;
import io.guilomo.config.LoraMoeConfig;
import io.guilomo.config.SearchConfig.Estimator;
import io.guilomo.data.Seeds;
import io.guilomo.model.LinearModule;
import io.guilomo.network.BackboneConfig;
import io.guilomo.plan.AllocationPlan;
import io.guilomo.plan.AllocationPlanParser;
import io.guilomo.plan.AllocationStrategies;
import io.guilomo.plan.AllocationStrategy;
import io.guilomo.plan.UniformAllocation;
import io.guilomo.spark.input.JobContext;
import io.guilomo.spark.input.Networks;
import io.guilomo.spark.input.PlanFiles;
import io.guilomo.spark.run.RecordedRun;
import io.guilomo.spark.run.RunDirectory;
import io.guilomo.spark.search.AllocateJob;
import io.guilomo.spark.search.FinishedSearch;
import io.guilomo.spark.table.ComparisonTable;
import io.guilomo.spark.table.RunLayout;
import io.guilomo.spark.table.TableReader;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * The plans of a comparison. A strategy that searches or measures does so in runs of its own, for
 * each routing and sharing, which change its gradients. They are not repeated once they have
 * finished; where its search does not depend on the budget, a single one of each seed serves all
 * budgets. The file of every plan is beside the comparison's report.
 */
final class Plans {

  private final JobContext context;
  private final GuilomoConfig config;
  private final RecordedRun run;
  private final RecordedRuns recorded;
  private final BackboneConfig backbone;
  private final List<LinearModule> modules;
  private final Axes axes;
  private final Map<Long, Long> ownBudgets = new LinkedHashMap<>();

  Plans(JobContext context, RecordedRun run, RecordedRuns recorded, BackboneConfig backbone) {
    this.context = context;
    this.config = context.config();
    this.run = run;
    this.recorded = recorded;
    this.backbone = backbone;
    this.modules = Networks.targets(config, backbone);
    this.axes = config.compare().axes();
  }

  /** Trainable parameters of the full allocation, at the first routing and sharing. */
  long fullParameters() {
    return fullPlan().parameters();
  }

  private AllocationPlan fullPlan() {
    return AllocationStrategies.full(modules, loraMoe(axes.first()));
  }

  private LoraMoeConfig loraMoe(Combination combination) {
    return config.with(combination.settings()).loraMoe();
  }

  /**
   * The plans of all seeds, of every strategy, budget, routing and sharing. A budget below a
   * strategy's smallest plan is left out, with a message.
   *
   * @param levels budgets; a single 0 where the comparison has no curve
   */
  List<Planned> all(List<Long> levels, List<String> strategies) throws IOException {
    List<Planned> all = new ArrayList<>();
    for (long level : levels) {
      for (Combination combination : axes.combinations()) {
        for (String strategy : strategies) {
          long budget = sharedBudget(level, combination, strategy);
          long least = budget > 0 ? least(strategy, combination) : 0;
          if (budget < least) {
            context.message(
                String.format(
                    Locale.ROOT,
                    "%s has no plan within %,d parameters, its smallest has %,d: not compared with"
                        + " this budget",
                    combination.of(strategy),
                    budget,
                    least));
            continue;
          }
          for (long seed : config.compare().seeds()) {
            all.add(plan(new Trial(strategy, combination, level, seed)));
          }
        }
      }
    }
    return all;
  }

  /**
   * Most parameters that a plan of every seed may have; 0 for the learned plans that decide it
   * where none is configured.
   */
  private long sharedBudget(long level, Combination combination, String strategy) {
    boolean decides =
        config.allocation().budgetParameters() == AllocationStrategy.UNLIMITED
            && AllocationStrategies.learns(strategy)
            && combination.equals(axes.first());
    return level > 0 || decides
        ? level
        : config.compare().seeds().stream().mapToLong(this::onlyBudget).min().orElseThrow();
  }

  /** Trainable parameters of the smallest plan of any of the strategies. */
  long least(List<String> strategies) throws IOException {
    long least = Long.MAX_VALUE;
    for (String strategy : strategies) {
      least = Math.min(least, least(strategy, axes.first()));
    }
    return least;
  }

  void message(String line) {
    context.message(line);
  }

  private long least(String strategy, Combination combination) throws IOException {
    return strategy.equals(AllocationStrategies.FILE)
        ? PlanFiles.readFor(config.allocation().requirePlan(), config, backbone, context.hadoop())
            .parameters()
        : AllocationStrategies.leastParameters(
            strategy, modules, config.allocation(), loraMoe(combination));
  }

  /** The full allocation, which every budget's plans can be held against; one for each seed. */
  List<Planned> full() throws IOException {
    AllocationPlan plan = fullPlan();
    List<Planned> all = new ArrayList<>();
    for (long seed : config.compare().seeds()) {
      Trial trial = new Trial(ComparisonTable.FULL, axes.first(), plan.parameters(), seed);
      all.add(written(trial, plan, ""));
    }
    return all;
  }

  /** The plan of one trial, searched for or measured if its strategy needs that. */
  Planned plan(Trial trial) throws IOException {
    if (AllocationStrategies.learns(trial.strategy())) {
      return searched(trial);
    }
    if (AllocationStrategies.measures(trial.strategy())) {
      // Measured once: all budgets, and all strategies that measure, find the same.
      String measuringRun = search(trial, budget(trial));
      return written(trial, found(measuringRun), measuringRun);
    }
    // The seeds of further random plans are not those of any trial.
    long drawn = trial.draw() == 0 ? trial.seed() : Seeds.mix(trial.seed(), trial.draw());
    AllocateJob job =
        new AllocateJob(context.with(settings(trial, "", budget(trial), drawn)), false);
    return written(trial, job.withoutSearch(backbone), "");
  }

  private Planned searched(Trial trial) throws IOException {
    if (trial.level() > 0 && servesEveryBudget()) {
      Estimator estimator = config.search().estimator();
      long aim =
          estimator == Estimator.EXPECTED
              ? config.allocation().budgetParameters()
              : AllocationStrategy.UNLIMITED;
      String searchRun =
          search(new Trial(trial.strategy(), trial.combination(), 0, trial.seed()), aim);
      FinishedSearch search =
          new FinishedSearch(
              new TableReader(context.spark(), config.output().dir()),
              searchRun,
              estimator,
              found(searchRun));
      return written(trial, search.plan(trial.level()), searchRun);
    }
    long configured = config.allocation().budgetParameters();
    long budget =
        trial.level() > 0
            ? trial.level()
            : configured > 0 ? configured : ownBudgets.getOrDefault(trial.seed(), 0L);
    String searchRun = search(trial, budget);
    AllocationPlan plan = found(searchRun);
    ownBudgets.putIfAbsent(trial.seed(), plan.parameters());
    return written(trial, plan, searchRun);
  }

  private AllocationPlan found(String searchRun) throws IOException {
    return PlanFiles.written(
        new RunDirectory(config.output().dir(), searchRun, context.hadoop()).path(RunLayout.PLAN),
        context.hadoop());
  }

  /**
   * Whether the plans of all budgets are read off one search. The straight-through search knows no
   * budget; one that heads for its budget is made once for each, unless budgets are only tried.
   */
  private boolean servesEveryBudget() {
    return config.search().estimator() == Estimator.STRAIGHT_THROUGH
        || config.compare().findSmallest();
  }

  /** Searches, unless that is done. */
  private String search(Trial trial, long budget) throws IOException {
    String name = run.runId() + "." + trial.name();
    JobContext own = context.with(settings(trial, name, budget, trial.seed()));
    if (!recorded.finished(AllocateJob.NAME, own.config())) {
      context.message("searching: " + trial);
      new AllocateJob(own, !isTuned(trial)).run();
      recorded.ended(AllocateJob.NAME, own.config());
    }
    return name;
  }

  /** Whether a search's run is also that of the fine-tuning, which reports on both. */
  private boolean isTuned(Trial trial) {
    return config.compare().learningRates().isEmpty()
        && (trial.level() > 0
            || config.compare().budgets().isEmpty() && !config.compare().findSmallest());
  }

  /** Most parameters of a trial's plan. */
  private long budget(Trial trial) {
    return trial.level() > 0 ? trial.level() : onlyBudget(trial.seed());
  }

  /**
   * Most parameters of a seed's plans where the comparison has a single budget: the configured one,
   * else what the learned plan has at the first routing and sharing, else the configured uniform
   * plan there, or the full allocation where that has less.
   */
  private long onlyBudget(long seed) {
    if (config.allocation().budgetParameters() != AllocationStrategy.UNLIMITED) {
      return config.allocation().budgetParameters();
    }
    return ownBudgets.computeIfAbsent(
        seed,
        any ->
            Math.min(
                fullParameters(),
                AllocationStrategies.of(
                        UniformAllocation.STRATEGY, config.allocation(), loraMoe(axes.first()))
                    .plan(modules, 0, AllocationStrategy.UNLIMITED)
                    .parameters()));
  }

  static List<String> settings(Trial trial, String runId, long budget, long seed) {
    String strategy =
        trial.strategy().equals(ComparisonTable.FULL)
            ? UniformAllocation.STRATEGY
            : trial.strategy();
    List<String> settings = new ArrayList<>(trial.combination().settings());
    settings.addAll(
        List.of(
            "run.id=" + runId,
            "run.seed=" + seed,
            "search.seeds=[]",
            "allocation.strategy=" + strategy,
            "allocation.budget.parameters=" + budget,
            "finetune.plan=",
            "finetune.seeds=[]",
            "evaluate.adapter=",
            "evaluate.uncertainty=none",
            "evaluate.adapters=[]",
            "evaluate.member-weights=uniform",
            "evaluate.out-of-domain="));
    return settings;
  }

  private Planned written(Trial trial, AllocationPlan plan, String searchRun) throws IOException {
    String file = "plan-" + trial.name() + ".json";
    run.directory().write(file, AllocationPlanParser.toJson(plan));
    return new Planned(trial, plan, run.directory().path(file).toString(), searchRun);
  }
}
