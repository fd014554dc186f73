package io.guilomo.spark.finetune;

import io.guilomo.config.FinetuneConfig;
import io.guilomo.spark.checkpoint.Checkpoint;
import io.guilomo.spark.checkpoint.TrainingCheckpoints;
import io.guilomo.spark.data.ShardedData;
import io.guilomo.spark.input.ClassifierStart;
import io.guilomo.spark.input.JobContext;
import io.guilomo.spark.progress.ProgressListener;
import io.guilomo.spark.round.AveragedTraining;
import io.guilomo.spark.round.RoundLoop;
import io.guilomo.spark.round.Rounds.Round;
import io.guilomo.spark.round.TrainingRun;
import io.guilomo.spark.round.ValidationResult;
import io.guilomo.spark.table.MetricsTable.Metric;
import io.guilomo.spark.table.RoundAppender;
import io.guilomo.spark.worker.WorkerRound;
import io.guilomo.spark.worker.Workers;
import io.guilomo.training.TrainingStepResult;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Trains the network of one plan over sharded data, with parameter averaging, warm-up and decay,
 * and early stopping on the validation records.
 */
final class FinetuneRun implements TrainingRun<TrainingStepResult> {

  private final ProgressListener progress;
  private final FinetuneConfig config;
  private final FinetunePlan plan;
  private final AdapterKeeper keeper;
  private final FinetuneState.EarlyStopping stopping;
  private final AveragedTraining<TrainingStepResult> training;
  private FinetuneCurves curves;
  private FinetuneState state;

  FinetuneRun(
      JobContext context,
      FinetunePlan plan,
      ShardedData data,
      Workers workers,
      AdapterKeeper keeper)
      throws IOException {
    this.progress = context.progress();
    this.config = context.config().finetune();
    this.plan = plan;
    this.keeper = keeper;
    this.stopping = new FinetuneState.EarlyStopping(config.bestBy(), config.patience());
    ClassifierStart start = new ClassifierStart(plan.training().network(), data.labels());
    start.describe().ifPresent(progress::message);
    this.training =
        new AveragedTraining<>(
            context, workers, data.shards(), plan.training(), start.read(context.hadoop()));
  }

  /**
   * Trains to the end.
   *
   * @param table that gets what is measured
   * @param resumed the checkpoint of an earlier attempt
   * @param checkpoints what another attempt may resume from
   * @return steps done by each worker
   */
  long run(
      RoundAppender<Metric> table, Optional<Checkpoint> resumed, TrainingCheckpoints checkpoints)
      throws IOException {
    curves = new FinetuneCurves(table, plan.training().seed());
    long planned = plan.training().rounds().steps();
    long steps =
        new RoundLoop<>(training, checkpoints, progress)
            .run(this, plan.training().rounds(), resumed);
    if (steps < planned) {
      progress.message(
          String.format(
              "stopped early: no better validation %s in %d validations",
              config.bestBy(), config.patience()));
    }
    return steps;
  }

  @Override
  public String task() {
    return "fine-tuning";
  }

  @Override
  public void start(ValidationResult before) {
    state = FinetuneState.start(before);
    curves.metrics().validation(0, 0, before);
  }

  @Override
  public void resume(String json) {
    state = FinetuneState.fromJson("the checkpoint's progress", json);
  }

  @Override
  public Map<String, Double> trained(
      Round round, List<WorkerRound<TrainingStepResult>> workers, double seconds) {
    long tokens = workers.stream().mapToLong(WorkerRound::tokens).sum();
    state = state.plus(tokens, seconds, workers.get(0).backboneDigest());
    return curves.round(round, workers);
  }

  @Override
  public boolean validatesAfter(Round round) {
    return round.completes(plan.stepsPerValidation());
  }

  @Override
  public void validated(
      Round round, List<WorkerRound<TrainingStepResult>> workers, ValidationResult result)
      throws IOException {
    curves.metrics().validation(round.number(), round.endStep(), result);
    curves.routers(round, workers);
    boolean better = stopping.better(result, state.best());
    state = state.validated(result, round.endStep(), better);
    // Its checkpoint follows: the best adapter on disk is always that of the newest checkpoint.
    keeper.keep(training.named(), state.backboneDigest(), better);
  }

  @Override
  public boolean stops() {
    return stopping.stops(state);
  }

  @Override
  public void write(long round, boolean now) {
    curves.write(round, now);
  }

  @Override
  public FinetuneState state() {
    return state;
  }
}
