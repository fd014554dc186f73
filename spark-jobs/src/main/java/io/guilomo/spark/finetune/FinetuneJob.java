package io.guilomo.spark.finetune;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.family.Families;
import io.guilomo.model.UserException;
import io.guilomo.network.BackboneConfig;
import io.guilomo.plan.AllocationPlan;
import io.guilomo.spark.checkpoint.Checkpoint;
import io.guilomo.spark.checkpoint.JobCheckpoints;
import io.guilomo.spark.checkpoint.TrainingCheckpoints;
import io.guilomo.spark.data.ShardedData;
import io.guilomo.spark.input.JobContext;
import io.guilomo.spark.input.Networks;
import io.guilomo.spark.input.PlanFiles;
import io.guilomo.spark.preflight.Preflight;
import io.guilomo.spark.run.RecordedRun;
import io.guilomo.spark.run.RunDirectory;
import io.guilomo.spark.session.JavaSerialization;
import io.guilomo.spark.table.JobRun;
import io.guilomo.spark.table.MetricsTable;
import io.guilomo.spark.table.PlanExpertsTable;
import io.guilomo.spark.table.PlanModulesTable;
import io.guilomo.spark.table.RecordedScores;
import io.guilomo.spark.table.RoundAppender;
import io.guilomo.spark.table.RunLayout;
import io.guilomo.spark.worker.Workers;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.hadoop.fs.Path;

/**
 * Trains the model that an allocation plan describes, and keeps its best and last adapter.
 *
 * @param reporting whether the run's report is written at the end
 */
public record FinetuneJob(JobContext context, boolean reporting) {

  public static final String NAME = JobRun.FINETUNE;

  /**
   * What a training ended with.
   *
   * @param steps done by each worker
   * @param adapter directory of the best adapter
   */
  public record Member(long seed, FinetuneState outcome, long steps, String adapter) {}

  /**
   * What the job ended with.
   *
   * @param members one per seed, the first with the run's own adapter
   */
  public record Result(AllocationPlan plan, List<Member> members) {

    public FinetuneState outcome() {
      return members.get(0).outcome();
    }

    public long steps() {
      return members.get(0).steps();
    }

    public String adapter() {
      return members.get(0).adapter();
    }
  }

  private GuilomoConfig config() {
    return context.config();
  }

  /**
   * Trains and writes the adapters.
   *
   * @throws UserException for a configuration, plan, model or data that cannot be used
   */
  public Result run() throws IOException {
    JavaSerialization.require(context.sparkContext().getConf());
    Preflight.requireFixedWorkers(context.sparkContext().getConf());
    BackboneConfig backbone = Families.config(config().model().requirePath(), context.hadoop());
    Workers workers = Workers.of(config(), context.sparkContext());
    return new FinetuneJob(workers.fixedIn(Networks.fit(context, backbone)), reporting)
        .run(backbone, workers);
  }

  private Result run(BackboneConfig backbone, Workers workers) throws IOException {
    RecordedRun run = new RecordedRun(context, NAME, reporting);
    AllocationPlan plan = plan(run.directory(), backbone);
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
      run.directory().writePlan("", plan, backbone.paths());
    }
    run.directory().write(RunLayout.CONFIG, config().asHocon());
    List<Member> members = train(run, backbone, plan, workers, data);
    data.shards().unpersist();
    run.backboneDigest(members.get(0).outcome().backboneDigest());
    return new Result(plan, members);
  }

  /** Trains with one seed after the other; one that an earlier attempt has finished stays. */
  private List<Member> train(
      RecordedRun run,
      BackboneConfig backbone,
      AllocationPlan plan,
      Workers workers,
      ShardedData data)
      throws IOException {
    List<Long> seeds = seeds(config());
    JobCheckpoints earlier = run.checkpoints();
    Map<Long, TrainingCheckpoints> checkpoints = new HashMap<>();
    Map<Long, Checkpoint> resumed = new HashMap<>();
    Map<Long, Long> rounds = new HashMap<>();
    for (long seed : seeds) {
      TrainingCheckpoints own =
          new TrainingCheckpoints(
              earlier.of(seed), config(), List.of("search.", "allocation."), context.progress());
      checkpoints.put(seed, own);
      own.newest()
          .ifPresent(
              checkpoint -> {
                resumed.put(seed, checkpoint);
                rounds.put(seed, checkpoint.round());
              });
    }
    requireFirst(seeds.get(0), earlier, resumed);
    earlier.keep(seeds);
    run.directory().keepMembers(seeds.subList(1, seeds.size()));
    RoundAppender<MetricsTable.Metric> table =
        rounds.isEmpty()
            ? run.tables().begin(MetricsTable.INSTANCE)
            : run.tables().resume(MetricsTable.INSTANCE, rounds);
    List<Member> members = new ArrayList<>();
    for (long seed : seeds) {
      if (seeds.size() > 1) {
        context.message("seed %d: %d of %d".formatted(seed, members.size() + 1, seeds.size()));
      }
      boolean first = members.isEmpty();
      Path adapter = first ? run.directory().bestAdapter() : run.directory().memberAdapter(seed);
      FinetunePlan training =
          FinetunePlan.of(config(), backbone, plan, seed, data.largestShard(), data.classes());
      AdapterKeeper keeper =
          new AdapterKeeper(
              context,
              plan,
              training.training().network(),
              data.labels(),
              adapter,
              () ->
                  RecordedScores.remove(
                      config().output().dir(), run.runId(), first, context.hadoop()));
      FinetuneRun tuning = new FinetuneRun(context, training, data, workers, keeper);
      long steps = tuning.run(table, Optional.ofNullable(resumed.get(seed)), checkpoints.get(seed));
      members.add(new Member(seed, tuning.state(), steps, adapter.toString()));
    }
    table.finish();
    return members;
  }

  /** The first trains the run's own adapter, the others those that are named after them. */
  private static List<Long> seeds(GuilomoConfig config) {
    List<Long> configured = config.finetune().seeds();
    return configured.isEmpty() ? List.of(config.run().seed()) : configured;
  }

  /**
   * Checks that all adapters of an earlier attempt still belong to the seeds that trained them.
   *
   * @param read those of its checkpoints that have been read, by seed
   * @throws UserException if it began with another seed
   */
  private static void requireFirst(long first, JobCheckpoints earlier, Map<Long, Checkpoint> read)
      throws IOException {
    for (long seed : earlier.seeds()) {
      Optional<Checkpoint> newest =
          read.containsKey(seed)
              ? Optional.of(read.get(seed))
              : earlier.of(seed).newest(passedOver -> {});
      if (newest.isEmpty()) {
        continue;
      }
      long before = seeds(GuilomoConfig.fromJson(newest.get().configuration())).get(0);
      if (before != first) {
        throw new UserException(
            "Cannot resume from %s: the first seed was %d and is %d now, and the run's own adapter is"
                + " that of the first; put %d first again, give another run.id, or start over with"
                + " checkpoint.resume=false",
            earlier.of(seed), before, first, before);
      }
    }
  }

  private AllocationPlan plan(RunDirectory directory, BackboneConfig backbone) throws IOException {
    String path = config().finetune().plan();
    return PlanFiles.readFor(
        path.isBlank() ? directory.path(RunLayout.PLAN).toString() : path,
        config(),
        backbone,
        context.hadoop());
  }
}
