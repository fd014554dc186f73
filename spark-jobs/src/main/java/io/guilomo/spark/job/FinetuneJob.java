package io.guilomo.spark.job;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.family.Families;
import io.guilomo.model.UserException;
import io.guilomo.network.BackboneConfig;
import io.guilomo.plan.AllocationPlan;
import io.guilomo.plan.AllocationPlanParser;
import io.guilomo.sizing.BatchShape;
import io.guilomo.spark.data.ShardedData;
import io.guilomo.spark.table.PlanExpertsTable;
import io.guilomo.spark.table.PlanModulesTable;
import java.io.IOException;
import java.util.List;
import java.util.function.Function;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.SparkSession;

/** Trains the model that an allocation plan describes, and keeps its best and last adapter. */
public final class FinetuneJob {

  static final String NAME = "finetune";

  private final SparkSession spark;
  private final GuilomoConfig config;
  private final ProgressListener progress;
  private final Configuration hadoop;
  private final boolean reporting;

  /**
   * What a training ended with.
   *
   * @param runId where its files and rows are
   * @param adapter directory of the best adapter
   */
  public record Result(
      String runId, AllocationPlan plan, Finetuning.Outcome outcome, String adapter) {}

  public FinetuneJob(SparkSession spark, GuilomoConfig config, ProgressListener progress) {
    this(spark, config, progress, true);
  }

  /**
   * @param reporting whether the run's report is written at the end
   */
  FinetuneJob(
      SparkSession spark, GuilomoConfig config, ProgressListener progress, boolean reporting) {
    this.spark = spark;
    this.config = config;
    this.progress = progress;
    this.hadoop = spark.sparkContext().hadoopConfiguration();
    this.reporting = reporting;
  }

  /**
   * Trains and writes the adapters.
   *
   * @throws UserException for a configuration, plan, model or data that cannot be used
   */
  public Result run() throws IOException {
    Preflight.requireFixedWorkers(spark.sparkContext().getConf());
    BackboneConfig backbone = Families.config(config.model().requirePath(), hadoop);
    ModelChecks.check(config, backbone);
    RecordedRun run = new RecordedRun(spark, config, NAME, progress, reporting);
    AllocationPlan plan = plan(run.directory(), backbone);
    Workers workers = Workers.of(config, spark.sparkContext());
    return run.record(plan.strategy(), workers.count(), () -> train(run, backbone, plan, workers));
  }

  private Result train(
      RecordedRun run, BackboneConfig backbone, AllocationPlan plan, Workers workers)
      throws IOException {
    Function<BatchShape, Preflight> preflight =
        batch -> Preflight.fineTuning(config, backbone, plan, workers, batch);
    Preflight.require(spark.sparkContext(), preflight);
    StartChecks.run(spark.sparkContext(), config.model().path(), progress);
    JobData jobData = new JobData(spark, config);
    ShardedData data = jobData.load(workers.count());
    progress.message(JobData.describe(data.report()));
    run.data(data.report());
    Preflight.require(
        spark.sparkContext(), preflight, config.finetune().batchSize(), data.report(), progress);
    if (!config.finetune().plan().isBlank()) {
      run.tables().replace(PlanModulesTable.INSTANCE, PlanModulesTable.rows(plan));
      run.tables().replace(PlanExpertsTable.INSTANCE, PlanExpertsTable.rows(plan));
      run.directory().write("plan.json", AllocationPlanParser.toJson(plan));
    }
    run.directory().write("config.conf", config.asHocon());
    AdapterKeeper keeper =
        new AdapterKeeper(config, plan, data.labels(), jobData.template(), run.directory(), hadoop);
    long seed = config.run().seed();
    TrainingCheckpoints checkpoints =
        new TrainingCheckpoints(run.checkpoints().of(seed), config, List.of("search."), progress);
    Finetuning.Outcome outcome =
        new Finetuning(spark, config, backbone, data, workers, progress)
            .run(plan, seed, run.tables(), checkpoints, keeper);
    data.shards().unpersist();
    run.backboneDigest(outcome.backboneDigest());
    return new Result(run.runId(), plan, outcome, AdapterKeeper.best(run.directory()).toString());
  }

  private AllocationPlan plan(RunDirectory directory, BackboneConfig backbone) throws IOException {
    String path = config.finetune().plan();
    return PlanFiles.readFor(
        path.isBlank() ? directory.path("plan.json").toString() : path, config, backbone, hadoop);
  }
}
