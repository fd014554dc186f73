package io.guilomo.spark.job;

import io.guilomo.backbone.BackboneConfig;
import io.guilomo.backbone.LinearModule;
import io.guilomo.config.GuilomoConfig;
import io.guilomo.data.LabelSet;
import io.guilomo.kernel.ArrayViews;
import io.guilomo.network.LoraMoeNetwork;
import io.guilomo.plan.AllocationPlan;
import io.guilomo.plan.GuidedSelection;
import io.guilomo.plan.LearnedAllocation;
import io.guilomo.plan.ParameterBudget;
import io.guilomo.search.SearchStepResult;
import io.guilomo.spark.data.Shard;
import io.guilomo.spark.data.ShardedData;
import io.guilomo.spark.training.AveragingMaster;
import io.guilomo.spark.training.BilevelTraining;
import io.guilomo.spark.training.ValidationLoss;
import io.guilomo.spark.training.WorkerBatches;
import io.guilomo.spark.training.WorkerRound;
import io.guilomo.spark.training.WorkerSettings;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.util.SerializableConfiguration;
import org.deeplearning4j.spark.impl.graph.SparkComputationGraph;
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
            Finetuning.largestShard(data),
            data.labels().map(LabelSet::size).orElse(0));
  }

  SearchOutcome run(LearningCurves curves, ProgressListener progress) {
    WorkerSettings settings =
        new WorkerSettings(
            workers.threads(),
            new SerializableConfiguration(spark.sparkContext().hadoopConfiguration()));
    int batchSize = config.search().batchSize();
    AveragingMaster<SearchStepResult> master =
        new AveragingMaster<>(
            workers.count(),
            batchSize,
            plan.stepsPerRound(),
            new BilevelTraining(plan.settings()),
            settings);
    SparkComputationGraph graph =
        new SparkComputationGraph(
            JavaSparkContext.fromSparkContext(spark.sparkContext()),
            LoraMoeNetwork.configuration(plan.network()),
            master);
    ValidationLoss validation = new ValidationLoss(data.shards(), settings, batchSize);
    Map<LinearModule, long[]> routed = new HashMap<>();
    String digest = "";

    ValidationLoss.Measured before = validation.measure(graph.getNetwork());
    curves.validation(0, 0, before);
    List<GuidedSelection> drawn = selections(graph, routed);
    curves.gsvs(0, drawn);
    progress.message(String.format("validation loss before the search %.4f", before.loss()));
    progress.begin("search", plan.rounds());
    for (long round = 0; round < plan.rounds(); round++) {
      graph.fitMultiDataSet(batches(data.shards(), plan, round, batchSize, seed));
      for (WorkerRound<SearchStepResult> worker : master.lastRound()) {
        worker
            .routedTokens()
            .forEach((module, counts) -> routed.merge(module, counts.clone(), SearchRun::add));
        digest = worker.backboneDigest();
      }
      curves.gsvs(round + 1, selections(graph, routed));
      progress.round(curves.round(round + 1, plan.firstStep(round), master.lastRound()));
      curves.flush(round + 1);
    }
    ValidationLoss.Measured after = validation.measure(graph.getNetwork());
    curves.validation(plan.rounds(), plan.steps(), after);
    curves.finish(plan.rounds());
    progress.message(String.format("validation loss after the search %.4f", after.loss()));

    LearnedAllocation allocation =
        new LearnedAllocation(seed, config.loraMoe().topK(), config.loraMoe().alpha());
    AllocationPlan learned =
        allocation.plan(
            selections(graph, routed), new ParameterBudget(config.allocation().budgetParameters()));
    return new SearchOutcome(allocation.plan(drawn), learned, before, after, digest);
  }

  /** One partition a worker, which holds the batches of the round's steps. */
  private static JavaRDD<MultiDataSet> batches(
      JavaRDD<Shard> shards, SearchPlan plan, long round, int batchSize, long seed) {
    long first = plan.firstStep(round);
    long end = first + plan.stepsOf(round);
    return shards.flatMap(
        shard -> {
          WorkerBatches batches = new WorkerBatches(shard, batchSize, seed);
          return LongStream.range(first, end)
              .mapToObj(step -> (MultiDataSet) batches.dataSet(step))
              .iterator();
        });
  }

  private List<GuidedSelection> selections(
      SparkComputationGraph graph, Map<LinearModule, long[]> routed) {
    long count =
        plan.network().modules().stream().mapToLong(m -> m.experts() + m.totalRank()).sum();
    INDArray gsvs = ArrayViews.stretch(graph.getNetwork().params(), 0, count);
    return GuidedSelection.of(plan.network().modules(), gsvs.dup().toFloatVector(), routed);
  }

  private static long[] add(long[] sums, long[] counts) {
    for (int i = 0; i < sums.length; i++) {
      sums[i] += counts[i];
    }
    return sums;
  }
}
