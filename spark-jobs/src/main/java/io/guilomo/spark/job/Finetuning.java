package io.guilomo.spark.job;

import io.guilomo.backbone.BackboneConfig;
import io.guilomo.config.GuilomoConfig;
import io.guilomo.data.LabelSet;
import io.guilomo.network.LoraMoeNetwork;
import io.guilomo.plan.AllocationPlan;
import io.guilomo.spark.data.Shard;
import io.guilomo.spark.data.ShardedData;
import io.guilomo.spark.table.TableWriter;
import io.guilomo.spark.training.AveragingMaster;
import io.guilomo.spark.training.ValidationLoss;
import io.guilomo.spark.training.WorkerBatches;
import io.guilomo.spark.training.WorkerRound;
import io.guilomo.spark.training.WorkerSettings;
import io.guilomo.training.TrainingStepResult;
import java.io.IOException;
import java.util.List;
import java.util.stream.LongStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.util.SerializableConfiguration;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.spark.impl.graph.SparkComputationGraph;
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
    void keep(ComputationGraph graph, String digest, boolean best) throws IOException;
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

  Outcome run(AllocationPlan allocation, long seed, TableWriter tables, Keeper keeper)
      throws IOException {
    int classes = data.labels().map(LabelSet::size).orElse(0);
    FinetunePlan plan =
        FinetunePlan.of(config, backbone, allocation, seed, largestShard(data), classes);
    Configuration hadoop = spark.sparkContext().hadoopConfiguration();
    WorkerSettings settings =
        new WorkerSettings(workers.threads(), new SerializableConfiguration(hadoop));
    int batchSize = config.finetune().batchSize();
    AveragingMaster<TrainingStepResult> master =
        new AveragingMaster<>(
            workers.count(), batchSize, plan.stepsPerRound(), plan.training(), settings);
    SparkComputationGraph graph =
        new SparkComputationGraph(
            JavaSparkContext.fromSparkContext(spark.sparkContext()),
            LoraMoeNetwork.configuration(plan.network()),
            master);
    ValidationLoss validation = new ValidationLoss(data.shards(), settings, batchSize);
    FinetuneCurves curves = new FinetuneCurves(tables, seed);
    EarlyStopping stopping =
        new EarlyStopping(config.finetune().bestBy(), config.finetune().patience());

    ValidationLoss.Measured before = validation.measure(graph.getNetwork());
    curves.validation(0, 0, before);
    progress.message(
        String.format(
            "validation loss before %.4f, %d steps of each worker", before.loss(), plan.steps()));
    progress.begin("fine-tuning", plan.rounds());
    ValidationLoss.Measured best = null;
    ValidationLoss.Measured last = null;
    long bestStep = 0;
    long tokens = 0;
    double seconds = 0;
    long round = 0;
    for (; round < plan.rounds() && !stopping.stops(); round++) {
      long start = System.nanoTime();
      graph.fitMultiDataSet(
          batches(
              data.shards(), plan, round, batchSize, config.finetune().accumulationSteps(), seed));
      seconds += (System.nanoTime() - start) / 1e9;
      List<WorkerRound<TrainingStepResult>> done = master.lastRound();
      tokens += tokens(done);
      progress.round(curves.round(round + 1, plan.firstStep(round), done));
      if (plan.validatesAfter(round)) {
        last = validation.measure(graph.getNetwork());
        requireFinite(last, plan.endStep(round));
        curves.validation(round + 1, plan.endStep(round), last);
        curves.routers(round + 1, plan.endStep(round) - 1, done);
        boolean better = stopping.add(last);
        if (better) {
          best = last;
          bestStep = plan.endStep(round);
        }
        keeper.keep(graph.getNetwork(), done.get(0).backboneDigest(), better);
        progress.message(
            String.format(
                "validation loss %.4f, accuracy %.4f after %d steps",
                last.loss(), last.accuracy(), plan.endStep(round)));
      }
      curves.flush(round + 1);
    }
    curves.finish(round);
    if (round < plan.rounds()) {
      progress.message(
          String.format(
              "stopped early: no better validation %s in %d validations",
              config.finetune().bestBy(), config.finetune().patience()));
    }
    return new Outcome(
        before,
        best,
        bestStep,
        last,
        plan.endStep(round - 1),
        tokens,
        seconds,
        master.lastRound().get(0).backboneDigest());
  }

  private static void requireFinite(ValidationLoss.Measured measured, long steps) {
    if (!Double.isFinite(measured.loss())) {
      throw new ArithmeticException(
          String.format(
              "Cannot go on after %d steps: the validation loss is %s", steps, measured.loss()));
    }
  }

  /** Training examples of the largest shard. */
  static long largestShard(ShardedData data) {
    return data.shards().map(shard -> (long) shard.train().length).collect().stream()
        .mapToLong(Long::longValue)
        .max()
        .orElseThrow();
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
      FinetunePlan plan,
      long round,
      int batchSize,
      int accumulation,
      long seed) {
    long first = plan.firstStep(round);
    long end = plan.endStep(round);
    return shards.flatMap(
        shard -> {
          WorkerBatches batches = new WorkerBatches(shard, batchSize, seed);
          return LongStream.range(first, end)
              .mapToObj(step -> (MultiDataSet) batches.trainSet(step, accumulation))
              .iterator();
        });
  }
}
