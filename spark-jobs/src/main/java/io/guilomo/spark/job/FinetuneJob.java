package io.guilomo.spark.job;

import io.guilomo.backbone.BackboneConfig;
import io.guilomo.backbone.Backbones;
import io.guilomo.config.GuilomoConfig;
import io.guilomo.plan.AllocationPlan;
import io.guilomo.plan.AllocationPlanParser;
import io.guilomo.spark.data.ShardedData;
import io.guilomo.spark.table.JobRun;
import io.guilomo.spark.table.PlanExpertsTable;
import io.guilomo.spark.table.PlanModulesTable;
import io.guilomo.spark.table.TableWriter;
import java.io.IOException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.SparkSession;

/** Trains the model that an allocation plan describes, and keeps its best and last adapter. */
public final class FinetuneJob {

  static final String NAME = "finetune";

  private final SparkSession spark;
  private final GuilomoConfig config;
  private final ProgressListener progress;
  private final Configuration hadoop;

  /**
   * What a training ended with.
   *
   * @param runId where its files and rows are
   * @param adapter directory of the best adapter
   */
  public record Result(
      String runId, AllocationPlan plan, Finetuning.Outcome outcome, String adapter) {}

  public FinetuneJob(SparkSession spark, GuilomoConfig config, ProgressListener progress) {
    this.spark = spark;
    this.config = config;
    this.progress = progress;
    this.hadoop = spark.sparkContext().hadoopConfiguration();
  }

  /**
   * Trains and writes the adapters.
   *
   * @throws IllegalArgumentException for a configuration, plan, model or data that cannot be used
   */
  public Result run() throws IOException {
    Instant startedAt = Instant.now();
    long seed = config.run().seed();
    String runId = RunIds.of(config.run(), startedAt);
    RunDirectory directory = new RunDirectory(config.output().dir(), runId, hadoop);
    BackboneConfig backbone = Backbones.config(config.model().requirePath(), hadoop);
    ModelFamily.check(config, backbone);
    AllocationPlan plan = plan(directory, backbone);
    Workers workers = Workers.of(config.cluster(), spark.sparkContext());
    TableWriter tables =
        new TableWriter(
            spark,
            config.output().dir(),
            new JobRun(runId, LocalDate.ofInstant(startedAt, ZoneOffset.UTC), NAME));
    RunRecord record =
        new RunRecord(tables, config, NAME, seed, plan.strategy(), workers.count(), startedAt);
    record.running();
    try {
      JobData jobData = new JobData(spark, config);
      ShardedData data = jobData.load(workers.count());
      progress.message(JobData.describe(data.report()));
      if (!config.finetune().plan().isBlank()) {
        tables.replace(PlanModulesTable.INSTANCE, PlanModulesTable.rows(plan));
        tables.replace(PlanExpertsTable.INSTANCE, PlanExpertsTable.rows(plan));
        directory.write("plan.json", AllocationPlanParser.toJson(plan));
      }
      directory.write("config.conf", config.asHocon());
      AdapterKeeper keeper =
          new AdapterKeeper(config, plan, data.labels(), jobData.template(), directory, hadoop);
      Finetuning.Outcome outcome =
          new Finetuning(spark, config, backbone, data, workers, progress)
              .run(plan, seed, tables, keeper);
      data.shards().unpersist();
      record.succeeded(outcome.backboneDigest());
      return new Result(runId, plan, outcome, AdapterKeeper.best(directory).toString());
    } catch (IOException | RuntimeException e) {
      record.failed();
      throw e;
    }
  }

  private AllocationPlan plan(RunDirectory directory, BackboneConfig backbone) throws IOException {
    String path = config.finetune().plan();
    return PlanFiles.read(
        path.isBlank() ? directory.path("plan.json").toString() : path,
        ModelFamily.targets(config, backbone),
        config.loraMoe(),
        hadoop);
  }
}
