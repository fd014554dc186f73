package io.guilomo.spark.search;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.family.Families;
import io.guilomo.model.LinearModule;
import io.guilomo.model.UserException;
import io.guilomo.network.BackboneConfig;
import io.guilomo.plan.AllocationPlan;
import io.guilomo.plan.AllocationStrategies;
import io.guilomo.plan.AlphaLoraAllocation;
import io.guilomo.plan.CandidateMeasurements;
import io.guilomo.plan.MeasuredAllocation;
import io.guilomo.plan.StartPlan;
import io.guilomo.spark.data.ShardedData;
import io.guilomo.spark.input.JobContext;
import io.guilomo.spark.input.Networks;
import io.guilomo.spark.input.PlanFiles;
import io.guilomo.spark.preflight.Preflight;
import io.guilomo.spark.run.RecordedRun;
import io.guilomo.spark.run.RunDirectory;
import io.guilomo.spark.session.JavaSerialization;
import io.guilomo.spark.table.JobRun;
import io.guilomo.spark.table.PlanExpertsTable;
import io.guilomo.spark.table.PlanModulesTable;
import io.guilomo.spark.table.RunLayout;
import io.guilomo.spark.table.TableWriter;
import io.guilomo.spark.worker.Workers;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/**
 * Makes an allocation plan: learns it by one or several searches, reads it off a short training,
 * takes it from a file, or has a strategy make it that needs no data.
 *
 * @param reporting whether the run's report is written at the end
 */
public record AllocateJob(JobContext context, boolean reporting) {

  public static final String NAME = JobRun.ALLOCATE;

  /**
   * The plan, and the searches that learned it.
   *
   * @param runId where its files and rows are
   * @param plan of several searches their consensus
   * @param searches in the order of their seeds; none where nothing was learned
   */
  public record Result(String runId, AllocationPlan plan, List<SearchRun.Outcome> searches) {}

  private GuilomoConfig config() {
    return context.config();
  }

  /**
   * Makes the plan and writes it.
   *
   * @throws UserException for a configuration, model or data that cannot be used
   */
  public Result run() throws IOException {
    String strategy = config().allocation().strategy();
    AllocationStrategies.check(strategy);
    if (AllocationStrategies.measures(strategy)) {
      MeasuredAllocation.of(strategy)
          .require(config().loraMoe(), config().allocation().budgetParameters());
    }
    if (AllocationStrategies.trains(strategy) || AllocationStrategies.readsWeights(strategy)) {
      JavaSerialization.require(context.sparkContext().getConf());
    }
    if (AllocationStrategies.trains(strategy)) {
      Preflight.requireFixedWorkers(context.sparkContext().getConf());
    }
    boolean trains = AllocationStrategies.trains(strategy);
    Workers workers =
        trains
            ? Workers.of(config(), context.sparkContext())
            : Workers.ofAnyNumber(config(), context.sparkContext());
    return new AllocateJob(trains ? workers.fixedIn(context) : context, reporting)
        .run(strategy, workers);
  }

  private Result run(String strategy, Workers workers) throws IOException {
    RecordedRun run = new RecordedRun(context, NAME, reporting);
    return run.record(
        strategy,
        workers.count(),
        () -> {
          BackboneConfig backbone =
              Families.config(config().model().requirePath(), context.hadoop());
          if (AllocationStrategies.learns(strategy)) {
            return new AllocateJob(Networks.fit(context, backbone), reporting)
                .learn(run, backbone, workers);
          }
          if (AllocationStrategies.measures(strategy)) {
            return new AllocateJob(Networks.fit(context, backbone), reporting)
                .measure(run, backbone, workers);
          }
          config().model().maxLengthFor(backbone.maxPositions());
          AllocationPlan plan = withoutSearch(backbone);
          write(run, backbone, List.of(plan));
          return new Result(run.runId(), plan, List.of());
        });
  }

  private Result learn(RecordedRun run, BackboneConfig backbone, Workers workers)
      throws IOException {
    Optional<StartPlan> start = StartPlans.read(context, backbone);
    ShardedData data =
        Preflight.load(
            context,
            run,
            workers,
            config().search().batchSize(),
            config().search().validationFraction().orElse(config().data().validationFraction()),
            batch -> Preflight.search(config(), backbone, workers, batch));
    Searches searches = Searches.run(context, backbone, data, workers, run, start);
    data.shards().unpersist();
    write(run, backbone, searches.plans());
    run.backboneDigest(searches.outcomes().get(0).backboneDigest());
    return new Result(run.runId(), searches.plan(), searches.outcomes());
  }

  private Result measure(RecordedRun run, BackboneConfig backbone, Workers workers)
      throws IOException {
    MeasuredAllocation strategy = MeasuredAllocation.of(config().allocation().strategy());
    long budget = config().allocation().budgetParameters();
    strategy.require(Networks.targets(config(), backbone), config().loraMoe(), budget);
    ShardedData data =
        Preflight.load(
            context,
            run,
            workers,
            config().search().batchSize(),
            config().data().validationFraction(),
            batch -> Preflight.measuring(config(), backbone, workers, batch));
    CandidateMeasurements measured =
        new Measuring(context, run, backbone, data, workers).measurements();
    data.shards().unpersist();
    AllocationPlan plan = strategy.plan(measured, config().loraMoe(), budget);
    write(run, backbone, List.of(plan));
    run.backboneDigest(measured.backboneDigest());
    return new Result(run.runId(), plan, List.of());
  }

  /**
   * The plan of a strategy that learns nothing; nothing is written.
   *
   * @throws UserException for a plan that does not fit the backbone or the budget
   */
  public AllocationPlan withoutSearch(BackboneConfig backbone) throws IOException {
    String strategy = config().allocation().strategy();
    long budget = config().allocation().budgetParameters();
    if (AllocationStrategies.readsWeights(strategy)) {
      List<LinearModule> modules = Networks.targets(config(), backbone);
      return new AlphaLoraAllocation(
              Spectra.exponents(context.sparkContext(), config().model().requirePath(), modules),
              config().allocation().experts(),
              config().allocation().rank(),
              config().loraMoe())
          .plan(modules, 0, budget);
    }
    if (!strategy.equals(AllocationStrategies.FILE)) {
      return AllocationStrategies.of(strategy, config().allocation(), config().loraMoe())
          .plan(Networks.targets(config(), backbone), config().run().seed(), budget);
    }
    AllocationPlan plan =
        PlanFiles.readFor(
            config().allocation().requirePlan(), config(), backbone, context.hadoop());
    if (budget > 0 && plan.parameters() > budget) {
      throw new UserException(
          "Cannot keep the plan %s within %d parameters: it has %d",
          config().allocation().plan(), budget, plan.parameters());
    }
    return plan;
  }

  /**
   * Makes plans those of a run: their tables and files.
   *
   * @param plans the run's own first; those of single seeds, if any, follow
   */
  public void write(RecordedRun run, BackboneConfig backbone, List<AllocationPlan> plans)
      throws IOException {
    TableWriter tables = run.tables();
    tables.replace(
        PlanModulesTable.INSTANCE,
        plans.stream().flatMap(plan -> PlanModulesTable.rows(plan).stream()).toList());
    tables.replace(
        PlanExpertsTable.INSTANCE,
        plans.stream().flatMap(plan -> PlanExpertsTable.rows(plan).stream()).toList());
    RunDirectory directory = run.directory();
    directory.write(RunLayout.CONFIG, config().asHocon());
    for (AllocationPlan plan : plans) {
      directory.writePlan(
          plan == plans.get(0) ? "" : "-seed-" + plan.seed(), plan, backbone.paths());
    }
    context.message("plan written to " + directory);
  }
}
