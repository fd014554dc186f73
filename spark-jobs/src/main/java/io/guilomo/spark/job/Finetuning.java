package io.guilomo.spark.job;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.data.LabelSet;
import io.guilomo.network.BackboneConfig;
import io.guilomo.network.NamedParameters;
import io.guilomo.plan.AllocationPlan;
import io.guilomo.spark.checkpoint.Checkpoint;
import io.guilomo.spark.data.Shard;
import io.guilomo.spark.data.ShardedData;
import io.guilomo.spark.table.TableWriter;
import io.guilomo.spark.training.ValidationLoss;
import io.guilomo.spark.training.WorkerBatches;
import io.guilomo.spark.training.WorkerRound;
import io.guilomo.training.TrainingStepResult;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.stream.LongStream;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.sql.SparkSession;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/**
 * Trains the network of one plan over sharded data, with parameter averaging, warm-up and decay,
 * and early stopping on the validation records.
 */
public final class Finetuning {

  private final SparkSession spark;
  private final GuilomoConfig config;
  private final BackboneConfig backbone;
  private final ShardedData data;
  private final Workers workers;
  private final ProgressListener progress;

  /** Keeps what was trained so far. */
  interface Keeper {
    /**
     * @param digest of the backbone they belong to
     * @param best whether no validation loss before was lower
     */
    void keep(NamedParameters parameters, String digest, boolean best) throws IOException;
  }

  /**
   * What a training ended with.
   *
   * @param before over the validation records, before the first step
   * @param best of all validations after it
   * @param bestStep steps done at the best
   * @param last after the last step
   * @param steps done by each worker
   * @param tokens that all workers learned from
   * @param seconds of the averaging rounds
   */
  public record Outcome(
      ValidationLoss.Measured before,
      ValidationLoss.Measured best,
      long bestStep,
      ValidationLoss.Measured last,
      long steps,
      long tokens,
      double seconds,
      String backboneDigest) {}

  Finetuning(
      SparkSession spark,
      GuilomoConfig config,
      BackboneConfig backbone,
      ShardedData data,
      Workers workers,
      ProgressListener progress) {
    this.spark = spark;
    this.config = config;
    this.backbone = backbone;
    this.data = data;
    this.workers = workers;
    this.progress = progress;
  }

  /**
   * Trains to the end.
   *
   * @param checkpoints where it may go on, and leaves what another attempt may go on from
   */
  Outcome run(
      AllocationPlan allocation,
      long seed,
      TableWriter tables,
      TrainingCheckpoints checkpoints,
      Keeper keeper)
      throws IOException {
    int classes = data.labels().map(LabelSet::size).orElse(0);
    FinetunePlan plan =
        FinetunePlan.of(config, backbone, allocation, seed, data.largestShard(), classes);
    int batchSize = config.finetune().batchSize();
    AveragedTraining<TrainingStepResult> training =
        new AveragedTraining<>(
            spark,
            workers,
            data.shards(),
            plan.network(),
            plan.training(),
            batchSize,
            plan.rounds().perRound(),
            config.cluster().roundTimeoutSeconds());
    EarlyStopping stopping =
        new EarlyStopping(config.finetune().bestBy(), config.finetune().patience());
    Optional<Checkpoint> begun = checkpoints.newest();
    FinetuneCurves curves =
        new FinetuneCurves(tables, seed, begun.map(Checkpoint::round).orElse(-1L));
    Rounds rounds = plan.rounds();
    FinetuneProgress state;
    if (begun.isPresent()) {
      training.restore(begun.get());
      state = FinetuneProgress.fromJson("the checkpoint's progress", begun.get().progress());
      rounds = rounds.after(begun.get().round(), begun.get().step());
      progress.message(
          String.format("going on after round %d of %d", rounds.done(), rounds.count()));
    } else {
      state = FinetuneProgress.begin(finite(training.validate(), 0));
      curves.validation(0, 0, state.before());
    }
    progress.message(
        String.format(
            "validation loss before %.4f, %d steps of each worker",
            state.before().loss(), rounds.steps()));
    progress.begin("fine-tuning", rounds.count() - rounds.done());
    long round = rounds.done();
    for (; round < rounds.count() && !stopping.stops(state); round++) {
      long start = System.nanoTime();
      List<WorkerRound<TrainingStepResult>> done =
          training.round(
              round,
              batches(
                  data.shards(),
                  rounds,
                  round,
                  batchSize,
                  config.finetune().accumulationSteps(),
                  seed));
      String digest = done.get(0).backboneDigest();
      AveragedTraining.requireBackbone(state.backboneDigest(), digest);
      state = state.plus(tokens(done), (System.nanoTime() - start) / 1e9, digest);
      progress.round(curves.round(round + 1, rounds.firstStep(round), done));
      long step = rounds.endStep(round);
      boolean validates = rounds.passes(round, plan.stepsPerValidation());
      if (validates) {
        ValidationLoss.Measured measured = finite(training.validate(), step);
        curves.validation(round + 1, step, measured);
        curves.routers(round + 1, step - 1, done);
        boolean better = stopping.better(measured, state.best());
        state = state.validated(measured, step, better);
        keeper.keep(training.named(), digest, better);
        progress.message(
            String.format(
                "validation loss %.4f, accuracy %.4f after %d steps",
                measured.loss(), measured.accuracy(), step));
      }
      // After each validation too: the best adapter on disk is that of the newest checkpoint.
      if (validates || checkpoints.due(round + 1)) {
        curves.write(round + 1);
        checkpoints.write(training, round + 1, step, state.toJson());
      } else {
        curves.flush(round + 1);
      }
    }
    curves.finish(round);
    if (round < rounds.count()) {
      progress.message(
          String.format(
              "stopped early: no better validation %s in %d validations",
              config.finetune().bestBy(), config.finetune().patience()));
    }
    return new Outcome(
        state.before(),
        state.best(),
        state.bestStep(),
        state.last(),
        round == rounds.done() ? rounds.doneSteps() : rounds.endStep(round - 1),
        state.tokens(),
        state.seconds(),
        state.backboneDigest());
  }

  /**
   * What was measured.
   *
   * @param step after which it was
   * @throws ArithmeticException if the loss is not finite: nothing of it must be kept
   */
  private static ValidationLoss.Measured finite(ValidationLoss.Measured measured, long step) {
    if (!Double.isFinite(measured.loss())) {
      throw new ArithmeticException(
          String.format(
              "Cannot go on after %d steps: the validation loss is %s", step, measured.loss()));
    }
    return measured;
  }

  private static long tokens(List<WorkerRound<TrainingStepResult>> workers) {
    return workers.stream()
        .flatMap(worker -> worker.steps().stream())
        .mapToLong(TrainingStepResult::tokens)
        .sum();
  }

  /** One partition a worker, which holds the batches of the round's steps. */
  private static JavaRDD<MultiDataSet> batches(
      JavaRDD<Shard> shards,
      Rounds rounds,
      long round,
      int batchSize,
      int accumulation,
      long seed) {
    long first = rounds.firstStep(round);
    long end = rounds.endStep(round);
    return shards.flatMap(
        shard -> {
          WorkerBatches batches = new WorkerBatches(shard, batchSize, seed);
          return LongStream.range(first, end)
              .mapToObj(step -> (MultiDataSet) batches.trainSet(step, accumulation))
              .iterator();
        });
  }
}
