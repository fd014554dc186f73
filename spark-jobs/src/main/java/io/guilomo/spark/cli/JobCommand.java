package io.guilomo.spark.cli;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.config.OutputConfig.Tables;
import io.guilomo.family.Families;
import io.guilomo.model.UserException;
import io.guilomo.plan.AllocationStrategies;
import io.guilomo.plan.MeasuredAllocation;
import io.guilomo.spark.compare.CompareJob;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/**
 * A command that runs one job with one configuration. Before Spark starts, it refuses a
 * configuration that lacks what the job needs.
 */
@Command(mixinStandardHelpOptions = true, versionProvider = Version.class)
final class JobCommand implements Callable<Integer> {

  private final JobRunner runner;
  private final Actions.Job action;
  private final Consumer<GuilomoConfig> check;

  @Spec private CommandSpec spec;
  @Mixin private CommonOptions options;

  private JobCommand(JobRunner runner, Actions.Job action, Consumer<GuilomoConfig> check) {
    this.runner = runner;
    this.action = action;
    this.check = check;
  }

  /**
   * @param check refuses a configuration that lacks what the job needs
   */
  static CommandLine line(
      JobRunner runner,
      String name,
      String description,
      Actions.Job action,
      Consumer<GuilomoConfig> check) {
    CommandLine line = new CommandLine(new JobCommand(runner, action, check));
    line.getCommandSpec().name(name).usageMessage().description(description);
    return line;
  }

  static void checkModelAndStrategy(GuilomoConfig config) {
    config.model().requirePath();
    Families.checkName(config.model().family());
    AllocationStrategies.check(config.allocation().strategy());
  }

  static void checkAllocation(GuilomoConfig config) {
    checkModelAndStrategy(config);
    String strategy = config.allocation().strategy();
    if (AllocationStrategies.trains(strategy)) {
      config.data().requireTrain();
    }
    if (AllocationStrategies.measures(strategy)) {
      MeasuredAllocation.of(strategy)
          .require(config.loraMoe(), config.allocation().budgetParameters());
    }
  }

  static void checkFinetuning(GuilomoConfig config) {
    config.model().requirePath();
    config.data().requireTrain();
    if (config.run().id().isEmpty() && config.finetune().plan().isBlank()) {
      throw new UserException(
          "Cannot fine-tune without a plan: set guilomo.run.id to the run that allocated it, or"
              + " guilomo.finetune.plan");
    }
  }

  static void requireAdapter(GuilomoConfig config, String verb) {
    config.evaluate().requireData();
    if (config.run().id().isEmpty()
        && config.evaluate().adapter().isBlank()
        && config.evaluate().uncertainty().adapters().isEmpty()) {
      throw new UserException(
          "Cannot %s without an adapter: set guilomo.run.id to the run that trained it, or guilomo.evaluate.adapter"
              .formatted(verb));
    }
  }

  static void checkPublishing(GuilomoConfig config) {
    if (config.output().tables() == Tables.PARQUET) {
      throw new UserException(
          "Cannot publish tables with guilomo.output.tables = parquet: set it to iceberg or delta,"
              + " and guilomo.output.catalog");
    }
  }

  static void checkComparison(GuilomoConfig config) {
    config.model().requirePath();
    config.data().requireTrain();
    config.evaluate().requireData();
    CompareJob.check(config.compare());
  }

  @Override
  public Integer call() throws Exception {
    GuilomoConfig config = options.config();
    check.accept(config);
    JobRunner.preload();
    runner.run(spec.name(), options.verbose(), action, config);
    return 0;
  }
}
