package io.guilomo.spark.job;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.data.LabelSet;
import io.guilomo.kernel.ArrayViews;
import io.guilomo.model.LinearModule;
import io.guilomo.network.BackboneConfig;
import io.guilomo.plan.AllocationPlan;
import io.guilomo.plan.GuidedSelection;
import io.guilomo.plan.LearnedAllocation;
import io.guilomo.plan.ParameterBudget;
import io.guilomo.search.SearchStepResult;
import io.guilomo.spark.checkpoint.Checkpoint;
import io.guilomo.spark.data.Shard;
import io.guilomo.spark.data.ShardedData;
import io.guilomo.spark.training.BilevelTraining;
import io.guilomo.spark.training.ValidationLoss;
import io.guilomo.spark.training.WorkerBatches;
import io.guilomo.spark.training.WorkerRound;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.LongStream;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.sql.SparkSession;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/** One bilevel search with one seed: averaging rounds over sharded data, then the plan. */
final class SearchRun {

  private final SparkSession spark;
  private final GuilomoConfig config;
  private final ShardedData data;
  private final Workers workers;
  private final SearchPlan plan;
  private final long seed;

  SearchRun(
      SparkSession spark,
      GuilomoConfig config,
      BackboneConfig backbone,
      ShardedData data,
      Workers workers,
      long seed) {
    this.spark = spark;
    this.config = config;
    this.data = data;
    this.workers = workers;
    this.seed = seed;
    this.plan =
        SearchPlan.of(
            config,
            backbone,
            seed,
            data.largestShard(),
            data.labels().map(LabelSet::size).orElse(0));
  }

  /**
   * Searches to the end.
   *
   * @param begun where an earlier attempt stopped
   */
  SearchOutcome run(
      Optional<Checkpoint> begun,
      TrainingCheckpoints checkpoints,
      LearningCurves curves,
      ProgressListener progress) {
    int batchSize = config.search().batchSize();
    AveragedTraining<SearchStepResult> training =
        new AveragedTraining<>(
            spark,
            workers,
            data.shards(),
            plan.network(),
            new BilevelTraining(plan.settings()),
            batchSize,
            plan.rounds().perRound(),
            config.cluster().roundTimeoutSeconds());
    List<GuidedSelection> drawn = selections(training, Map.of());
    Rounds rounds = plan.rounds();
    SearchProgress state;
    if (begun.isPresent()) {
      training.restore(begun.get());
      state = SearchProgress.fromJson("the checkpoint's progress", begun.get().progress());
      rounds = rounds.after(begun.get().round(), begun.get().step());
      progress.message(
          String.format("going on after round %d of %d", rounds.done(), rounds.count()));
    } else {
      state = SearchProgress.begin(training.validate());
      curves.validation(0, 0, state.before());
      curves.gsvs(0, drawn);
    }
    progress.message(
        String.format("validation loss before the search %.4f", state.before().loss()));
    progress.begin("search", rounds.count() - rounds.done());
    for (long round = rounds.done(); round < rounds.count(); round++) {
      List<WorkerRound<SearchStepResult>> done =
          training.round(round, batches(data.shards(), rounds, round, batchSize, seed));
      for (WorkerRound<SearchStepResult> worker : done) {
        AveragedTraining.requireBackbone(state.backboneDigest(), worker.backboneDigest());
        state = state.plus(worker.routedTokens(), worker.backboneDigest());
      }
      curves.gsvs(round + 1, selections(training, state.routed()));
      progress.round(curves.round(round + 1, rounds.firstStep(round), done));
      boolean last = round + 1 == rounds.count();
      if (last) {
        state = state.ended(training.validate());
        curves.validation(round + 1, rounds.endStep(round), state.after());
      }
      if (last || checkpoints.due(round + 1)) {
        // The tables first: rows that a checkpoint has behind it are never computed again.
        curves.write(round + 1);
        checkpoints.write(training, round + 1, rounds.endStep(round), state.toJson());
      } else {
        curves.flush(round + 1);
      }
    }
    ValidationLoss.Measured after = state.after() == null ? training.validate() : state.after();
    progress.message(String.format("validation loss after the search %.4f", after.loss()));

    LearnedAllocation allocation =
        new LearnedAllocation(seed, config.loraMoe().routing(), config.loraMoe().alpha());
    AllocationPlan learned =
        allocation
            .plan(
                selections(training, state.routed()),
                new ParameterBudget(config.allocation().budgetParameters()))
            .learnedWith(state.backboneDigest());
    return new SearchOutcome(
        allocation.plan(drawn), learned, state.before(), after, state.backboneDigest());
  }

  /** One partition a worker, which holds the batches of the round's steps. */
  static JavaRDD<MultiDataSet> batches(
      JavaRDD<Shard> shards, Rounds rounds, long round, int batchSize, long seed) {
    long first = rounds.firstStep(round);
    long end = rounds.endStep(round);
    return shards.flatMap(
        shard -> {
          WorkerBatches batches = new WorkerBatches(shard, batchSize, seed);
          return LongStream.range(first, end)
              .mapToObj(step -> (MultiDataSet) batches.dataSet(step))
              .iterator();
        });
  }

  private List<GuidedSelection> selections(
      AveragedTraining<?> training, Map<LinearModule, long[]> routed) {
    long count =
        plan.network().modules().stream().mapToLong(m -> m.experts() + m.totalRank()).sum();
    INDArray gsvs = ArrayViews.stretch(training.parameters(), 0, count);
    return GuidedSelection.of(plan.network().modules(), gsvs.dup().toFloatVector(), routed);
  }
}
