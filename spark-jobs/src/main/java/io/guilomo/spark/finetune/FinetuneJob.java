package io.guilomo.spark.finetune;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.family.Families;
import io.guilomo.model.UserException;
import io.guilomo.network.BackboneConfig;
import io.guilomo.plan.AllocationPlan;
import io.guilomo.plan.AllocationPlanParser;
import io.guilomo.spark.checkpoint.TrainingCheckpoints;
import io.guilomo.spark.data.ShardedData;
import io.guilomo.spark.input.JobContext;
import io.guilomo.spark.input.Networks;
import io.guilomo.spark.input.PlanFiles;
import io.guilomo.spark.preflight.Preflight;
import io.guilomo.spark.run.RecordedRun;
import io.guilomo.spark.run.RunDirectory;
import io.guilomo.spark.table.PlanExpertsTable;
import io.guilomo.spark.table.PlanModulesTable;
import io.guilomo.spark.worker.Workers;
import java.io.IOException;
import java.util.List;

/**
 * Trains the model that an allocation plan describes, and keeps its best and last adapter.
 *
 * @param reporting whether the run's report is written at the end
 */
public record FinetuneJob(JobContext context, boolean reporting) {

  public static final String NAME = "finetune";

  /**
   * What a training ended with.
   *
   * @param runId where its files and rows are
   * @param steps done by each worker
   * @param adapter directory of the best adapter
   */
  public record Result(
      String runId, AllocationPlan plan, FinetuneState outcome, long steps, String adapter) {}

  private GuilomoConfig config() {
    return context.config();
  }

  /**
   * Trains and writes the adapters.
   *
   * @throws UserException for a configuration, plan, model or data that cannot be used
   */
  public Result run() throws IOException {
    Preflight.requireFixedWorkers(context.sparkContext().getConf());
    BackboneConfig backbone = Families.config(config().model().requirePath(), context.hadoop());
    return new FinetuneJob(Networks.fit(context, backbone), reporting).run(backbone);
  }

  private Result run(BackboneConfig backbone) throws IOException {
    RecordedRun run = new RecordedRun(context, NAME, reporting);
    AllocationPlan plan = plan(run.directory(), backbone);
    Workers workers = Workers.of(config(), context.sparkContext());
    return run.record(plan.strategy(), workers.count(), () -> train(run, backbone, plan, workers));
  }

  private Result train(
      RecordedRun run, BackboneConfig backbone, AllocationPlan plan, Workers workers)
      throws IOException {
    ShardedData data =
        Preflight.load(
            context,
            run,
            workers,
            config().finetune().batchSize(),
            config().data().validationFraction(),
            batch -> Preflight.fineTuning(config(), backbone, plan, workers, batch));
    if (!config().finetune().plan().isBlank()) {
      run.tables().replace(PlanModulesTable.INSTANCE, PlanModulesTable.rows(plan));
      run.tables().replace(PlanExpertsTable.INSTANCE, PlanExpertsTable.rows(plan));
      run.directory().write("plan.json", AllocationPlanParser.toJson(plan));
    }
    run.directory().write("config.conf", config().asHocon());
    long seed = config().run().seed();
    FinetunePlan training =
        FinetunePlan.of(config(), backbone, plan, seed, data.largestShard(), data.classes());
    AdapterKeeper keeper =
        new AdapterKeeper(
            context, plan, training.training().network(), data.labels(), run.directory());
    TrainingCheckpoints checkpoints =
        new TrainingCheckpoints(
            run.checkpoints().of(seed), config(), List.of("search."), context.progress());
    FinetuneRun tuning = new FinetuneRun(context, training, data, workers, keeper);
    long steps = tuning.run(run.tables(), checkpoints);
    data.shards().unpersist();
    run.backboneDigest(tuning.state().backboneDigest());
    return new Result(
        run.runId(), plan, tuning.state(), steps, run.directory().bestAdapter().toString());
  }

  private AllocationPlan plan(RunDirectory directory, BackboneConfig backbone) throws IOException {
    String path = config().finetune().plan();
    return PlanFiles.readFor(
        path.isBlank() ? directory.path("plan.json").toString() : path,
        config(),
        backbone,
        context.hadoop());
  }
}
