package io.guilomo.spark.compare;

import io.guilomo.config.CompareConfig;
import io.guilomo.config.EvaluateConfig;
import io.guilomo.config.FinetuneConfig.Criterion;
import io.guilomo.config.GuilomoConfig;
import io.guilomo.family.Families;
import io.guilomo.metric.Bootstrap;
import io.guilomo.model.UserException;
import io.guilomo.network.BackboneConfig;
import io.guilomo.plan.AllocationStrategies;
import io.guilomo.plan.RandomAllocation;
import io.guilomo.spark.compare.Tunings.Tuning;
import io.guilomo.spark.data.DataFiles;
import io.guilomo.spark.evaluate.EvaluateJob;
import io.guilomo.spark.finetune.FinetuneJob;
import io.guilomo.spark.input.JobContext;
import io.guilomo.spark.preflight.Preflight;
import io.guilomo.spark.report.Advice;
import io.guilomo.spark.run.RecordedRun;
import io.guilomo.spark.search.AllocateJob;
import io.guilomo.spark.table.ComparisonTable;
import io.guilomo.spark.table.ComparisonTable.Compared;
import io.guilomo.spark.table.TableReader;
import io.guilomo.spark.worker.Workers;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * Allocates, fine-tunes and evaluates with several strategies, budgets and seeds, and compares the
 * evaluations. Every strategy is scored on the test records with the learning rate that is best for
 * it on the validation records. Runs that are the same are one run, and runs that have finished are
 * not repeated.
 */
public record CompareJob(JobContext context) {

  public static final String NAME = "compare";

  /**
   * What a comparison found.
   *
   * @param runId where its rows are; the names of the runs that it compares begin with it and a dot
   * @param findings in sentences, the advice last
   */
  public record Result(String runId, List<Compared> rows, List<String> findings) {}

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
          List<Compared> rows = compare(run, backbone);
          run.tables().replace(ComparisonTable.INSTANCE, rows);
          Advice advice = Advice.of(rows, config());
          return new Result(
              run.runId(),
              rows,
              Stream.of(advice.amongRandomPlans(), advice.sentence())
                  .flatMap(Optional::stream)
                  .toList());
        });
  }

  private List<Compared> compare(RecordedRun run, BackboneConfig backbone) throws IOException {
    CompareConfig compare = config().compare();
    TableReader reader = new TableReader(context.spark(), config().output().dir());
    RecordedRuns recorded = new RecordedRuns(reader, run.runId());
    Plans plans = new Plans(context, run, recorded, backbone);
    List<Long> levels = levels(plans.full());
    List<Planned> planned = new ArrayList<>(plans.all(levels, strategies()));
    if (!compare.budgets().isEmpty()) {
      for (long seed : compare.seeds()) {
        planned.add(plans.full(seed));
      }
    }
    List<Planned> draws = draws(plans, planned);
    List<Double> rates = compare.learningRates(config().finetune().learningRate());
    Tunings tunings =
        new Tunings(context, run.runId(), recorded, tunings(planned, rates) + draws.size());
    Map<Trial, Double> best = bestRates(tuned(planned), rates, tunings, recorded);
    // The rate of strategy random is also that of its further plans.
    planned.addAll(draws);
    Map<Trial, Tuning> chosen = new LinkedHashMap<>();
    for (Planned each : planned) {
      chosen.put(each.trial(), tunings.chosen(each, best.get(each.trial().ofAnySeed())));
    }
    for (Tuning tuning : chosen.values()) {
      tunings.evaluate(tuning);
    }
    List<Outcome> outcomes = outcomes(planned, chosen, best, recorded);
    return new Comparison(config(), plans.full(), outcomes, records(reader, run.runId())).rows();
  }

  /** Nothing where the seeds say more. */
  private RecordScores records(TableReader reader, String runId) {
    EvaluateConfig evaluate = config().evaluate();
    Bootstrap bootstrap =
        new Bootstrap(evaluate.bootstrapSamples(), evaluate.confidence(), config().run().seed());
    return config().compare().seeds().size() > 1
        ? new RecordScores(Map.of(), bootstrap)
        : RecordScores.read(reader, runId, bootstrap);
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
    for (long level : planned.stream().map(each -> each.trial().level()).distinct().toList()) {
      boolean some =
          planned.stream()
              .map(Planned::trial)
              .anyMatch(
                  trial ->
                      trial.level() == level && trial.strategy().equals(RandomAllocation.STRATEGY));
      for (RandomDraw draw : some ? RandomDraw.all(config().compare()) : List.<RandomDraw>of()) {
        if (draw.number() > 0) {
          draws.add(plans.plan(draw.trial(level)));
        }
      }
    }
    return draws;
  }

  /** The trials with which learning rates are tried. */
  private List<Planned> tuned(List<Planned> planned) {
    List<Long> seeds = config().compare().seedsToTune();
    return planned.stream().filter(each -> seeds.contains(each.trial().seed())).toList();
  }

  /** How many fine-tunings there are, some of which may be the same. */
  private long tunings(List<Planned> planned, List<Double> rates) {
    long tuned = tuned(planned).size();
    return tuned * rates.size() + planned.size() - tuned;
  }

  /**
   * The learning rates, by trial without its seed: for every strategy and budget the one that is
   * best on the validation records, after fine-tuning with all of them.
   */
  private Map<Trial, Double> bestRates(
      List<Planned> tuned, List<Double> rates, Tunings tunings, RecordedRuns recorded)
      throws IOException {
    Map<Trial, Map<Double, List<Tuning>>> groups = new LinkedHashMap<>();
    for (Planned each : tuned) {
      for (double rate : rates) {
        groups
            .computeIfAbsent(each.trial().ofAnySeed(), group -> new TreeMap<>())
            .computeIfAbsent(rate, group -> new ArrayList<>())
            .add(tunings.of(each, rate));
      }
    }
    Map<Trial, Double> best = new HashMap<>();
    if (rates.size() == 1) {
      groups.keySet().forEach(group -> best.put(group, rates.get(0)));
      return best;
    }
    Criterion criterion = config().finetune().bestBy();
    Map<String, Validated> validated = recorded.validated(criterion);
    groups.forEach(
        (group, byRate) -> {
          Map<Double, List<Validated>> seeds = new TreeMap<>();
          byRate.forEach(
              (rate, ofRate) ->
                  seeds.put(
                      rate,
                      ofRate.stream()
                          .map(
                              one ->
                                  one.diverged() ? Validated.DIVERGED : validated.get(one.runId()))
                          .toList()));
          best.put(group, chosen(group, seeds, criterion));
        });
    return best;
  }

  private double chosen(Trial group, Map<Double, List<Validated>> seeds, Criterion criterion) {
    double rate = Validated.bestRate(seeds, criterion);
    if (Double.isInfinite(Validated.mean(seeds.get(rate)).loss())) {
      throw new UserException(
          "Cannot compare strategy %s: training diverges with every one of compare.learning-rates;"
              + " add lower ones",
          group.strategy());
    }
    List<Double> rates = List.copyOf(seeds.keySet());
    if (rate == rates.get(0) || rate == rates.get(rates.size() - 1)) {
      context.message(
          "%s is best with learning rate %s, the %s of compare.learning-rates: others beyond it may be better"
              .formatted(
                  group.setting(),
                  Tunings.text(rate),
                  rate == rates.get(0) ? "lowest" : "highest"));
    }
    return rate;
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
