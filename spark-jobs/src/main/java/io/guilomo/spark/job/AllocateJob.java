package io.guilomo.spark.job;

import io.guilomo.backbone.BackboneConfig;
import io.guilomo.backbone.Backbones;
import io.guilomo.backbone.LinearModule;
import io.guilomo.backbone.LlamaConfig;
import io.guilomo.config.GuilomoConfig;
import io.guilomo.data.LabelSet;
import io.guilomo.data.Task;
import io.guilomo.kernel.ArrayViews;
import io.guilomo.network.LoraMoeNetwork;
import io.guilomo.plan.AllocationPlan;
import io.guilomo.plan.AllocationPlanParser;
import io.guilomo.plan.GuidedSelection;
import io.guilomo.plan.LearnedAllocation;
import io.guilomo.plan.ReleasedPlanFormat;
import io.guilomo.plan.StateDictOrder;
import io.guilomo.search.SearchStepResult;
import io.guilomo.spark.data.Shard;
import io.guilomo.spark.data.ShardedData;
import io.guilomo.spark.table.JobRun;
import io.guilomo.spark.table.PlanExpertsTable;
import io.guilomo.spark.table.PlanModulesTable;
import io.guilomo.spark.table.TableWriter;
import io.guilomo.spark.training.AveragingMaster;
import io.guilomo.spark.training.BilevelTraining;
import io.guilomo.spark.training.ValidationLoss;
import io.guilomo.spark.training.WorkerBatches;
import io.guilomo.spark.training.WorkerRound;
import io.guilomo.spark.training.WorkerSettings;
import java.io.IOException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.util.SerializableConfiguration;
import org.deeplearning4j.spark.impl.graph.SparkComputationGraph;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/**
 * Learns an allocation plan: shards the data over workers, runs the bilevel search, reads the plan
 * off the GSVs.
 */
public final class AllocateJob {

  static final String NAME = "allocate";

  private static final DateTimeFormatter RUN_ID = DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss");

  private final SparkSession spark;
  private final GuilomoConfig config;
  private final ProgressListener progress;
  private final Configuration hadoop;

  /**
   * What a search ended with.
   *
   * @param runId where its files and rows are
   * @param initial the plan of the random GSVs that the search began with
   * @param plan the plan it learned
   * @param before over the validation records, before the first step
   * @param after over the validation records, after the last
   */
  public record Result(
      String runId,
      AllocationPlan initial,
      AllocationPlan plan,
      ValidationLoss.Measured before,
      ValidationLoss.Measured after) {}

  public AllocateJob(SparkSession spark, GuilomoConfig config, ProgressListener progress) {
    this.spark = spark;
    this.config = config;
    this.progress = progress;
    this.hadoop = spark.sparkContext().hadoopConfiguration();
  }

  /**
   * Runs the search and writes its plan.
   *
   * @throws IllegalArgumentException for a configuration, model or data that cannot be used
   */
  public Result run() throws IOException {
    Instant startedAt = Instant.now();
    long seed = config.run().seed();
    String runId =
        config.run().id().isEmpty()
            ? RUN_ID.format(startedAt.atZone(ZoneOffset.UTC)) + "-" + seed
            : config.run().id();
    Workers workers = Workers.of(config.cluster(), spark.sparkContext());

    TableWriter tables =
        new TableWriter(
            spark,
            config.output().dir(),
            new JobRun(runId, LocalDate.ofInstant(startedAt, ZoneOffset.UTC), NAME));
    RunRecord record =
        new RunRecord(
            tables, config, NAME, seed, LearnedAllocation.STRATEGY, workers.count(), startedAt);
    record.running();
    try {
      BackboneConfig backbone = Backbones.config(config.model().requirePath(), hadoop);
      checkFamily(backbone);
      ShardedData data = new JobData(spark, config).load(workers.count());
      progress.message(JobData.describe(data.report()));
      Result result = search(runId, seed, backbone, data, workers, tables, record);
      data.shards().unpersist();
      return result;
    } catch (IOException | RuntimeException e) {
      record.failed();
      throw e;
    }
  }

  private void checkFamily(BackboneConfig backbone) {
    String found = backbone instanceof LlamaConfig ? "llama" : "bert";
    String family = config.model().family();
    if (!family.equals("auto") && !family.equals(found)) {
      throw new IllegalArgumentException(
          String.format(
              "Cannot use guilomo.model.family = %s: %s is of family %s",
              family, config.model().path(), found));
    }
    boolean classifies = Task.parse(config.data().task()) == Task.CLASSIFICATION;
    if (classifies && backbone instanceof LlamaConfig) {
      throw new IllegalArgumentException(
          "Cannot classify with "
              + config.model().path()
              + ": decoders learn task causal-lm or multiple-choice");
    }
    if (!classifies && !(backbone instanceof LlamaConfig)) {
      throw new IllegalArgumentException(
          String.format(
              "Cannot learn task %s with %s: encoders learn task classification",
              config.data().task(), config.model().path()));
    }
  }

  private Result search(
      String runId,
      long seed,
      BackboneConfig backbone,
      ShardedData data,
      Workers workers,
      TableWriter tables,
      RunRecord record)
      throws IOException {
    long largestShard =
        data.shards().map(shard -> (long) shard.train().length).collect().stream()
            .flatMapToLong(LongStream::of)
            .max()
            .orElseThrow();
    SearchPlan plan =
        SearchPlan.of(
            config, backbone, seed, largestShard, data.labels().map(LabelSet::size).orElse(0));
    WorkerSettings settings =
        new WorkerSettings(workers.threads(), new SerializableConfiguration(hadoop));
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
    LearningCurves curves = new LearningCurves(tables, seed);
    Map<LinearModule, long[]> routed = new HashMap<>();
    String digest = "";

    ValidationLoss.Measured before = validation.measure(graph.getNetwork());
    curves.validation(0, 0, before);
    List<GuidedSelection> drawn = selections(graph, plan, routed);
    curves.gsvs(0, drawn);
    progress.message(String.format("validation loss before the search %.4f", before.loss()));
    progress.begin("search", plan.rounds());
    for (long round = 0; round < plan.rounds(); round++) {
      graph.fitMultiDataSet(batches(data.shards(), plan, round, batchSize, seed));
      for (WorkerRound<SearchStepResult> worker : master.lastRound()) {
        worker
            .routedTokens()
            .forEach((module, counts) -> routed.merge(module, counts.clone(), AllocateJob::add));
        digest = worker.backboneDigest();
      }
      curves.gsvs(round + 1, selections(graph, plan, routed));
      progress.round(curves.round(round + 1, plan.firstStep(round), master.lastRound()));
      curves.flush(round + 1);
    }
    ValidationLoss.Measured after = validation.measure(graph.getNetwork());
    curves.validation(plan.rounds(), plan.steps(), after);
    curves.finish(plan.rounds());
    progress.message(String.format("validation loss after the search %.4f", after.loss()));

    LearnedAllocation allocation =
        new LearnedAllocation(seed, config.loraMoe().topK(), config.loraMoe().alpha());
    AllocationPlan learned = allocation.plan(selections(graph, plan, routed));
    write(runId, learned, tables);
    record.succeeded(digest);
    return new Result(runId, allocation.plan(drawn), learned, before, after);
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

  private static List<GuidedSelection> selections(
      SparkComputationGraph graph, SearchPlan plan, Map<LinearModule, long[]> routed) {
    return GuidedSelection.of(
        plan.network().modules(), gsvs(graph.getNetwork().params(), plan), routed);
  }

  private static float[] gsvs(INDArray parameters, SearchPlan plan) {
    long count =
        plan.network().modules().stream().mapToLong(m -> m.experts() + m.totalRank()).sum();
    return ArrayViews.stretch(parameters, 0, count).dup().toFloatVector();
  }

  private static long[] add(long[] sums, long[] counts) {
    for (int i = 0; i < sums.length; i++) {
      sums[i] += counts[i];
    }
    return sums;
  }

  private void write(String runId, AllocationPlan plan, TableWriter tables) throws IOException {
    tables.replace(PlanModulesTable.INSTANCE, PlanModulesTable.rows(plan));
    tables.replace(PlanExpertsTable.INSTANCE, PlanExpertsTable.rows(plan));
    RunDirectory directory = new RunDirectory(config.output().dir(), runId, hadoop);
    ReleasedPlanFormat released =
        new ReleasedPlanFormat(
            StateDictOrder.of(plan.modules().stream().map(m -> m.module()).toList()));
    directory.write("config.conf", config.asHocon());
    directory.write("plan.json", AllocationPlanParser.toJson(plan));
    directory.write("rank.json", released.rankJson(plan));
    directory.write("expert.json", released.expertJson(plan));
    progress.message("plan written to " + directory);
  }
}
