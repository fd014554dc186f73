package io.guilomo.spark.search;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.config.SearchConfig;
import io.guilomo.config.SearchConfig.Estimator;
import io.guilomo.kernel.AdamW;
import io.guilomo.model.LinearModule;
import io.guilomo.model.ModuleExperts;
import io.guilomo.network.BackboneConfig;
import io.guilomo.network.NetworkDefinition;
import io.guilomo.plan.AllocationPlan;
import io.guilomo.plan.AllocationStrategies;
import io.guilomo.plan.AllocationStrategy;
import io.guilomo.plan.GuidedSelection;
import io.guilomo.plan.StartPlan;
import io.guilomo.search.ExpectedSettings;
import io.guilomo.search.SearchSettings;
import io.guilomo.search.SearchStepResult;
import io.guilomo.spark.checkpoint.Checkpoint;
import io.guilomo.spark.checkpoint.TrainingCheckpoints;
import io.guilomo.spark.data.ShardedData;
import io.guilomo.spark.input.ClassifierStart;
import io.guilomo.spark.input.JobContext;
import io.guilomo.spark.input.Networks;
import io.guilomo.spark.progress.ProgressListener;
import io.guilomo.spark.round.AveragedTraining;
import io.guilomo.spark.round.RoundLoop;
import io.guilomo.spark.round.Rounds;
import io.guilomo.spark.round.Rounds.Round;
import io.guilomo.spark.round.TrainingPlan;
import io.guilomo.spark.round.TrainingRun;
import io.guilomo.spark.round.ValidationResult;
import io.guilomo.spark.worker.BilevelTraining;
import io.guilomo.spark.worker.WorkerRound;
import io.guilomo.spark.worker.Workers;
import io.guilomo.training.LearningRate;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** One bilevel search with one seed: averaging rounds over sharded data, then the plan. */
public final class SearchRun implements TrainingRun<SearchStepResult> {

  private final GuilomoConfig config;
  private final TrainingPlan<SearchStepResult> trainingPlan;
  private final SearchCurves curves;
  private final AveragedTraining<SearchStepResult> training;
  private final List<GuidedSelection> initialSelections;
  private SearchState state;
  private long startedAt;
  private double secondsBefore;

  /**
   * What a search ended with.
   *
   * @param initial the plan of the initial GSVs, without a budget where each is one choice
   * @param plan the learned plan, within the budget
   * @param before over the validation records, before the first step
   * @param after over the validation records, after the last
   * @param backboneDigest of the backbone that the executors loaded
   */
  public record Outcome(
      AllocationPlan initial,
      AllocationPlan plan,
      ValidationResult before,
      ValidationResult after,
      String backboneDigest) {}

  SearchRun(
      JobContext context,
      BackboneConfig backbone,
      ShardedData data,
      Workers workers,
      long seed,
      SearchCurves curves,
      Optional<StartPlan> start)
      throws IOException {
    this.config = context.config();
    this.trainingPlan = plan(config, backbone, data, seed, start);
    this.curves = curves;
    this.training =
        new AveragedTraining<>(
            context,
            workers,
            data.shards(),
            trainingPlan,
            new ClassifierStart(trainingPlan.network(), data.labels()).read(context.hadoop()));
    start.ifPresent(
        known ->
            training.setFirstParameters(
                known.vectors(
                    trainingPlan.network().modules(),
                    config.search().estimator(),
                    training.firstParameters(
                        ModuleExperts.gsvEntries(trainingPlan.network().modules())))));
    this.initialSelections = selections(Map.of());
  }

  /** What a configuration makes of a search: the network to search in, and how. */
  public static TrainingPlan<SearchStepResult> plan(
      GuilomoConfig config, BackboneConfig backbone, ShardedData data, long seed) {
    return plan(config, backbone, data, seed, Optional.empty());
  }

  private static TrainingPlan<SearchStepResult> plan(
      GuilomoConfig config,
      BackboneConfig backbone,
      ShardedData data,
      long seed,
      Optional<StartPlan> start) {
    SearchConfig search = config.search();
    int batchSize = search.batchSize();
    long epoch = (data.largestShard() + batchSize - 1) / batchSize;
    long steps = Math.max(1, Math.round(epoch * search.epochs()));
    NetworkDefinition network = Networks.toSearch(config, backbone, seed, data.classes());
    SearchSettings settings =
        new SearchSettings(
            inner(search),
            new LearningRate(search.learningRate(), search.warmupSteps(), steps),
            new AdamW(search.gsvBetas().first(), search.gsvBetas().second(), search.epsilon(), 0),
            search.gsvLearningRate(),
            search.outerGradient(),
            search.freezeRouting(),
            search.clipNorm(),
            seed,
            search.estimator() == Estimator.EXPECTED
                ? expected(config, network.modules(), steps, start)
                : null);
    return new TrainingPlan<>(
        network,
        new BilevelTraining(settings, search.recompute()),
        Rounds.of(steps, config.cluster().averagingFrequency()),
        batchSize,
        seed,
        validationShare(config));
  }

  /**
   * The share of the validation records that losses are measured over: where a search holds out
   * more than other jobs, to learn from, as many as those would hold out.
   */
  private static double validationShare(GuilomoConfig config) {
    double usual = config.data().validationFraction();
    double own = config.search().validationFraction().orElse(usual);
    boolean more = config.data().validationRecords().isBlank() && own > usual;
    return more && usual > 0 ? usual / own : 1;
  }

  private static ExpectedSettings expected(
      GuilomoConfig config, List<ModuleExperts> modules, long steps, Optional<StartPlan> start) {
    ExpectedSettings settings =
        new ExpectedSettings(config.allocation().budgetParameters(), steps).checked(modules);
    return start
        .map(
            known ->
                settings.startingFrom(
                    modules,
                    known.vectors(
                        modules, Estimator.EXPECTED, new float[ModuleExperts.gsvEntries(modules)])))
        .orElse(settings);
  }

  /** The update of experts and routers. */
  static AdamW inner(SearchConfig search) {
    return new AdamW(
        search.betas().first(), search.betas().second(), search.epsilon(), search.weightDecay());
  }

  /** Searches to the end, from the checkpoint of an earlier attempt if there is one. */
  Outcome run(
      Optional<Checkpoint> resumed, TrainingCheckpoints checkpoints, ProgressListener progress)
      throws IOException {
    startedAt = System.nanoTime();
    long steps =
        new RoundLoop<>(training, checkpoints, progress).run(this, trainingPlan.rounds(), resumed);
    if (steps < trainingPlan.rounds().steps()) {
      progress.message(
          String.format(
              Locale.ROOT,
              "the search with seed %d stopped early, after %d of %d steps: in %d rounds its plan"
                  + " changed by no more than %.1f %% of its ranks",
              trainingPlan.seed(),
              steps,
              trainingPlan.rounds().steps(),
              state.stability().rounds(),
              100 * config.search().planTolerance()));
    }
    ValidationResult after = state.after() == null ? training.validate() : state.after();
    AllocationPlan learned =
        withinBudget(selections(state.routed())).learnedWith(state.backboneDigest());
    return new Outcome(initial(), learned, state.before(), after, state.backboneDigest());
  }

  /**
   * What random vectors chose, or those of a plan, without a budget; what equal distributions have
   * within it.
   */
  private AllocationPlan initial() {
    return config.search().estimator() == Estimator.EXPECTED
        ? withinBudget(initialSelections)
        : allocation(initialSelections, AllocationStrategy.UNLIMITED);
  }

  private AllocationPlan withinBudget(List<GuidedSelection> selections) {
    return allocation(selections, config.allocation().budgetParameters());
  }

  private AllocationPlan allocation(List<GuidedSelection> selections, long budget) {
    return AllocationStrategies.learned(
        config.search().estimator(),
        trainingPlan.seed(),
        config.loraMoe().form(),
        selections,
        budget);
  }

  /** The candidates that the GSVs select now. */
  private List<GuidedSelection> selections(Map<LinearModule, long[]> routed) {
    List<ModuleExperts> modules = trainingPlan.network().modules();
    return GuidedSelection.of(
        modules, training.firstParameters(ModuleExperts.gsvEntries(modules)), routed);
  }

  @Override
  public String task() {
    return "search";
  }

  @Override
  public void start(ValidationResult before) {
    state = SearchState.start(before, PlanStability.of(withinBudget(initialSelections)));
    curves.metrics().validation(0, 0, before);
    curves.gsvs(0, initialSelections);
  }

  @Override
  public void resume(String json) {
    state = SearchState.fromJson("the checkpoint's progress", json);
    secondsBefore = state.seconds();
  }

  private double elapsed() {
    return secondsBefore + (System.nanoTime() - startedAt) / 1e9;
  }

  @Override
  public Map<String, Double> trained(
      Round round, List<WorkerRound<SearchStepResult>> workers, double seconds) {
    for (WorkerRound<SearchStepResult> worker : workers) {
      state = state.plus(worker.routedTokens(), worker.backboneDigest());
    }
    List<GuidedSelection> selections = selections(state.routed());
    curves.gsvs(round.number(), selections);
    state =
        state
            .with(
                state
                    .stability()
                    .after(
                        withinBudget(selections),
                        config.search().planTolerance(),
                        round.firstStep() >= unsettledSteps()))
            .at(elapsed());
    Map<String, Double> shown = new LinkedHashMap<>(curves.round(round, workers));
    long spared = stops() ? trainingPlan.rounds().steps() - round.endStep() : 0;
    shown.putAll(curves.plan(round, state.stability(), spared));
    return shown;
  }

  /** Steps in which it means nothing that a plan stays as it is. */
  private long unsettledSteps() {
    long stepsToTarget =
        config.search().estimator() == Estimator.EXPECTED
            ? new ExpectedSettings(
                    config.allocation().budgetParameters(), trainingPlan.rounds().steps())
                .stepsToTarget()
            : 0;
    return Math.max(config.search().warmupSteps(), stepsToTarget);
  }

  @Override
  public boolean stops() {
    int patience = config.search().patience();
    return patience > 0 && state.stability().rounds() >= patience;
  }

  @Override
  public boolean validatesAfter(Round round) {
    return round.last() || stops();
  }

  @Override
  public void validated(
      Round round, List<WorkerRound<SearchStepResult>> workers, ValidationResult result) {
    state = state.ended(result).at(elapsed());
    curves.metrics().validation(round.number(), round.endStep(), result);
    curves.cost(round, state.seconds());
  }

  @Override
  public void write(long round, boolean now) {
    curves.write(round, now);
  }

  @Override
  public State state() {
    return state;
  }
}
