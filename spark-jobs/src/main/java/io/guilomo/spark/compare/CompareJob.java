package io.guilomo.spark.compare;

import io.guilomo.config.Axes;
import io.guilomo.config.CompareConfig;
import io.guilomo.config.GuilomoConfig;
import io.guilomo.family.Families;
import io.guilomo.model.UserException;
import io.guilomo.network.BackboneConfig;
import io.guilomo.plan.AllocationStrategies;
import io.guilomo.plan.MeasuredAllocation;
import io.guilomo.plan.RandomAllocation;
import io.guilomo.spark.compare.Tunings.Tuning;
import io.guilomo.spark.data.RecordReader;
import io.guilomo.spark.evaluate.EvaluateJob;
import io.guilomo.spark.finetune.FinetuneJob;
import io.guilomo.spark.input.JobContext;
import io.guilomo.spark.preflight.Preflight;
import io.guilomo.spark.report.Advice;
import io.guilomo.spark.run.RecordedRun;
import io.guilomo.spark.search.AllocateJob;
import io.guilomo.spark.session.JavaSerialization;
import io.guilomo.spark.table.ComparisonTable;
import io.guilomo.spark.table.ComparisonTable.Compared;
import io.guilomo.spark.table.JobRun;
import io.guilomo.spark.table.TableReader;
import io.guilomo.spark.worker.Workers;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Allocates, fine-tunes and evaluates with several strategies, budgets and seeds, at several
 * routings and sharings, and compares the evaluations. Every strategy is scored on the test records
 * with the learning rate that, at its routing and sharing, is best for it on the validation
 * records. Runs that are the same are one run, and runs that have finished are not repeated.
 */
public record CompareJob(JobContext context) {

  public static final String NAME = JobRun.COMPARE;

  /**
   * What a comparison found.
   *
   * @param findings in sentences, the advice last
   */
  public record Result(List<Compared> rows, List<String> findings) {}

  private GuilomoConfig config() {
    return context.config();
  }

  /**
   * Refuses strategies that cannot be compared, or not at the asked routings and sharings.
   *
   * @throws UserException with the reason
   */
  public static void check(CompareConfig compare) {
    Axes axes = compare.axes();
    for (String strategy : compare.strategies()) {
      AllocationStrategies.check(strategy);
      if (AllocationStrategies.measures(strategy)) {
        axes.sharings().forEach(MeasuredAllocation.of(strategy)::requireOwnA);
      }
      if (strategy.equals(AllocationStrategies.FILE) && axes.combinations().size() > 1) {
        throw new UserException(
            "Cannot compare strategy %s at several routings or sharings: the plan in a file is for"
                + " one of each; leave the strategy out, or give compare.routings and"
                + " compare.sharings one value each",
            strategy);
      }
    }
  }

  /**
   * Runs what is missing and writes the comparison.
   *
   * @throws UserException for a configuration, model or data that cannot be used
   */
  public Result run() throws IOException {
    check(config().compare());
    JavaSerialization.require(context.sparkContext().getConf());
    Preflight.requireFixedWorkers(context.sparkContext().getConf());
    BackboneConfig backbone = Families.config(config().model().requirePath(), context.hadoop());
    config().model().maxLengthFor(backbone.maxPositions());
    // The evaluation, which needs them, begins when all of a trial's training has been done.
    RecordReader.require(context.spark(), config().evaluate().requireData());
    Workers workers = Workers.of(config(), context.sparkContext());
    RecordedRun run = new RecordedRun(workers.fixedIn(context), NAME, true);
    return run.record(
        String.join(",", config().compare().strategies()),
        workers.count(),
        () -> {
          Result result = new CompareJob(run.within()).compare(run, backbone);
          run.tables().replace(ComparisonTable.INSTANCE, result.rows());
          return result;
        });
  }

  private Result compare(RecordedRun run, BackboneConfig backbone) throws IOException {
    CompareConfig compare = config().compare();
    TableReader reader = new TableReader(context.spark(), config().output().dir());
    RecordedRuns recorded = new RecordedRuns(context, reader, run.runId());
    Plans plans = new Plans(context, run, recorded, backbone);
    Tunings tunings = new Tunings(context, run.runId(), recorded);
    BestRates rates = new BestRates(context, tunings, recorded);
    List<Planned> planned = new ArrayList<>();
    List<Planned> draws;
    Map<Trial, Double> best = new HashMap<>();
    if (compare.findSmallest()) {
      planned.addAll(
          new SmallestBudgetSearch(config(), plans, tunings, rates, recorded)
              .run(strategies(), best));
      draws = draws(plans, planned);
    } else {
      planned.addAll(plans.all(levels(plans.fullParameters()), strategies()));
      if (!compare.budgets().isEmpty()) {
        planned.addAll(plans.full());
      } else if (planned.isEmpty()) {
        throw new UserException(
            "Cannot compare %s: none has a plan within the budget, and the smallest has %d"
                + " parameters; set allocation.budget.parameters to at least as many",
            String.join(", ", strategies()), plans.least(strategies()));
      }
      draws = draws(plans, planned);
      tunings.expect(rates.tunings(planned) + draws.size());
      best.putAll(rates.of(planned));
    }
    Map<Trial, Tuning> chosen = new LinkedHashMap<>();
    for (Planned each : planned) {
      chosen.put(each.trial(), tunings.chosen(each, best.get(each.trial().ofAnySeed())));
    }
    // The rate of strategy random is also that of its further plans.
    for (Planned each : draws) {
      Optional<Tuning> tuned = tunings.drawn(each, best.get(each.trial().ofAnySeed()));
      if (tuned.isPresent()) {
        planned.add(each);
        chosen.put(each.trial(), tuned.get());
      }
    }
    for (Tuning tuning : chosen.values()) {
      tunings.evaluate(tuning);
    }
    List<Outcome> outcomes = outcomes(planned, chosen, best, recorded);
    List<Compared> rows =
        new Comparison(config(), plans.fullParameters(), outcomes, records(reader, run.runId()))
            .rows();
    return new Result(
        rows,
        Stream.concat(
                compare.findSmallest()
                    ? use(smallest(rows, planned, outcomes), run, backbone, outcomes).stream()
                    : Stream.empty(),
                findings(rows))
            .toList());
  }

  private Stream<String> findings(List<Compared> rows) {
    Advice advice = Advice.of(rows, config());
    return Stream.of(advice.amongRandomPlans(), advice.sentence()).flatMap(Optional::stream);
  }

  /**
   * Makes the plan the run's.
   *
   * @return what the test records, which had no part in choosing it, say of its strategy and budget
   */
  private Optional<String> use(
      Planned smallest, RecordedRun run, BackboneConfig backbone, List<Outcome> outcomes)
      throws IOException {
    new AllocateJob(context, false).write(run, backbone, List.of(smallest.plan()));
    context.message(
        "the plan is that of %s, trained in run %s"
            .formatted(smallest.trial(), runs(smallest.trial(), true, outcomes).get(0)));
    if (smallest.trial().strategy().equals(ComparisonTable.FULL)) {
      return Optional.empty();
    }
    TableReader reader = new TableReader(context.spark(), config().output().dir());
    double margin = config().compare().margin();
    return RecordScores.read(reader, run.runId(), RecordScores.bootstrap(config()))
        .gap(
            runs(smallest.trial(), false, outcomes),
            outcomes.stream()
                .filter(one -> one.trial().strategy().equals(ComparisonTable.FULL))
                .map(Outcome::run)
                .toList())
        .filter(gap -> gap.pairs() > 1)
        .map(
            gap ->
                String.format(
                    Locale.ROOT,
                    "On the %,d test records the loss of %s is %.2f %% %s the full allocation's, and"
                        + " less than %.1f %% above it with %.1f %% confidence over the records.",
                    gap.pairs(),
                    smallest.trial().setting(),
                    100 * Math.abs(gap.mean()),
                    gap.mean() < 0 ? "below" : "above",
                    100 * margin,
                    100 * gap.confidenceBelow(margin)));
  }

  /** The evaluated runs of a strategy and budget. */
  private static List<String> runs(Trial trial, boolean ofItsSeed, List<Outcome> outcomes) {
    return outcomes.stream()
        .filter(one -> one.trial().ofAnySeed().equals(trial.ofAnySeed()))
        .filter(one -> one.trial().draw() == 0)
        .filter(one -> !ofItsSeed || one.trial().seed() == trial.seed())
        .map(Outcome::run)
        .toList();
  }

  /**
   * The plan to use: of the strategy and budget that the comparison advises, or else of the full
   * allocation, the one of the seed that did best on the validation records.
   */
  private Planned smallest(List<Compared> rows, List<Planned> planned, List<Outcome> outcomes) {
    Optional<Compared> advised = Advice.of(rows, config()).smallest();
    Trial best =
        outcomes.stream()
            .filter(
                one ->
                    advised.isEmpty()
                        ? one.trial().strategy().equals(ComparisonTable.FULL)
                        : one.trial().strategy().equals(advised.get().strategy())
                            && one.trial().level() == advised.get().size().budget())
            .filter(one -> one.trial().draw() == 0)
            .min(Comparator.comparingDouble(one -> one.validated().loss()))
            .orElseThrow()
            .trial();
    return planned.stream().filter(one -> one.trial().equals(best)).findFirst().orElseThrow();
  }

  /** Nothing where the seeds say more. */
  private RecordScores records(TableReader reader, String runId) {
    return config().compare().seeds().size() > 1
        ? new RecordScores(Map.of(), RecordScores.bootstrap(config()))
        : RecordScores.read(reader, runId, RecordScores.bootstrap(config()));
  }

  /** The budgets that all strategies share; 0 where there is one, which may depend on the seed. */
  private List<Long> levels(long full) {
    List<Long> levels = config().compare().budgetParameters(full);
    return levels.isEmpty() ? List.of(0L) : levels;
  }

  /** Those that learn first: without a budget, the others get as many parameters. */
  private List<String> strategies() {
    return config().compare().strategiesWith(RandomAllocation.STRATEGY).stream()
        .sorted(Comparator.comparing(strategy -> !AllocationStrategies.learns(strategy)))
        .toList();
  }

  /** The random plans beyond those of strategy {@code random}. */
  private List<Planned> draws(Plans plans, List<Planned> planned) throws IOException {
    List<Planned> draws = new ArrayList<>();
    List<Trial> random =
        planned.stream()
            .map(each -> each.trial().ofAnySeed())
            .filter(trial -> trial.strategy().equals(RandomAllocation.STRATEGY))
            .distinct()
            .toList();
    for (Trial drawn : random) {
      for (RandomDraw draw : RandomDraw.all(config().compare())) {
        if (draw.number() > 0) {
          draws.add(plans.plan(draw.trial(drawn)));
        }
      }
    }
    return draws;
  }

  private List<Outcome> outcomes(
      List<Planned> planned,
      Map<Trial, Tuning> chosen,
      Map<Trial, Double> best,
      RecordedRuns recorded) {
    Map<String, Validated> validated = recorded.validated(config().finetune().bestBy());
    Map<String, Map<String, Double>> metrics = recorded.metrics();
    Map<String, RunTimes> times = recorded.times();
    List<Outcome> outcomes = new ArrayList<>();
    for (Planned each : planned) {
      String run = chosen.get(each.trial()).runId();
      RunTimes own = times.get(run);
      double search = times.getOrDefault(each.searchRun(), RunTimes.NONE).of(AllocateJob.NAME);
      outcomes.add(
          new Outcome(
              each.trial(),
              run,
              each.plan().parameters(),
              best.get(each.trial().ofAnySeed()),
              validated.get(run),
              metrics.get(run),
              search + own.of(FinetuneJob.NAME) + own.of(EvaluateJob.NAME),
              search,
              search == 0 ? 0 : search / own.epoch(config().finetune())));
    }
    return outcomes;
  }
}
