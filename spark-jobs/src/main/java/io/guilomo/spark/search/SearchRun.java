package io.guilomo.spark.search;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.kernel.ArrayViews;
import io.guilomo.model.LinearModule;
import io.guilomo.model.ModuleExperts;
import io.guilomo.network.BackboneConfig;
import io.guilomo.plan.AllocationPlan;
import io.guilomo.plan.GuidedSelection;
import io.guilomo.plan.LearnedAllocation;
import io.guilomo.plan.ParameterBudget;
import io.guilomo.search.SearchStepResult;
import io.guilomo.spark.checkpoint.Checkpoint;
import io.guilomo.spark.checkpoint.TrainingCheckpoints;
import io.guilomo.spark.data.ShardedData;
import io.guilomo.spark.input.JobContext;
import io.guilomo.spark.progress.ProgressListener;
import io.guilomo.spark.round.AveragedTraining;
import io.guilomo.spark.round.RoundLoop;
import io.guilomo.spark.round.Rounds.Round;
import io.guilomo.spark.round.TrainingPlan;
import io.guilomo.spark.round.TrainingRun;
import io.guilomo.spark.round.ValidationResult;
import io.guilomo.spark.worker.WorkerRound;
import io.guilomo.spark.worker.Workers;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/** One bilevel search with one seed: averaging rounds over sharded data, then the plan. */
final class SearchRun implements TrainingRun<SearchStepResult> {

  private final GuilomoConfig config;
  private final TrainingPlan<SearchStepResult> plan;
  private final SearchCurves curves;
  private final AveragedTraining<SearchStepResult> training;
  private final List<GuidedSelection> drawn;
  private SearchState state;

  SearchRun(
      JobContext context,
      BackboneConfig backbone,
      ShardedData data,
      Workers workers,
      long seed,
      SearchCurves curves) {
    this.config = context.config();
    this.plan = SearchPlan.of(config, backbone, data, seed);
    this.curves = curves;
    this.training = new AveragedTraining<>(context, workers, data.shards(), plan);
    this.drawn = selections(Map.of());
  }

  /**
   * Searches to the end.
   *
   * @param resumed the checkpoint of an earlier attempt
   */
  SearchOutcome run(
      Optional<Checkpoint> resumed, TrainingCheckpoints checkpoints, ProgressListener progress)
      throws IOException {
    new RoundLoop<>(training, checkpoints, progress).run(this, plan.rounds(), resumed);
    ValidationResult after = state.after() == null ? training.validate() : state.after();
    LearnedAllocation allocation =
        new LearnedAllocation(plan.seed(), config.loraMoe().routing(), config.loraMoe().alpha());
    AllocationPlan learned =
        allocation
            .plan(
                selections(state.routed()),
                new ParameterBudget(config.allocation().budgetParameters()))
            .learnedWith(state.backboneDigest());
    return new SearchOutcome(
        allocation.plan(drawn), learned, state.before(), after, state.backboneDigest());
  }

  /** The candidates that the GSVs select now. */
  private List<GuidedSelection> selections(Map<LinearModule, long[]> routed) {
    List<ModuleExperts> modules = plan.network().modules();
    long count = modules.stream().mapToLong(m -> m.experts() + m.totalRank()).sum();
    INDArray gsvs = ArrayViews.stretch(training.parameters(), 0, count);
    return GuidedSelection.of(modules, gsvs.dup().toFloatVector(), routed);
  }

  @Override
  public String task() {
    return "search";
  }

  @Override
  public void start(ValidationResult before) {
    state = SearchState.start(before);
    curves.metrics().validation(0, 0, before);
    curves.gsvs(0, drawn);
  }

  @Override
  public void resume(String json) {
    state = SearchState.fromJson("the checkpoint's progress", json);
  }

  @Override
  public Map<String, Double> trained(
      Round round, List<WorkerRound<SearchStepResult>> workers, double seconds) {
    for (WorkerRound<SearchStepResult> worker : workers) {
      state = state.plus(worker.routedTokens(), worker.backboneDigest());
    }
    curves.gsvs(round.number(), selections(state.routed()));
    return curves.round(round, workers);
  }

  @Override
  public boolean validatesAfter(Round round) {
    return round.last();
  }

  @Override
  public void validated(
      Round round, List<WorkerRound<SearchStepResult>> workers, ValidationResult result) {
    state = state.ended(result);
    curves.metrics().validation(round.number(), round.endStep(), result);
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
