package io.guilomo.spark.cli;

import io.guilomo.config.GuilomoConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code bench}. */
@Command(
    name = "bench",
    description = {
      "Measures how fast this machine is. Prints a line of JSON for each case.",
      "With --scaling, how fast the search of a configuration is with 1, 2, 4 … workers on a cluster."
    },
    mixinStandardHelpOptions = true,
    versionProvider = Version.class)
final class BenchCommand implements Callable<Integer> {

  private final JobRunner runner;
  private final Actions.Bench action;
  private final Actions.Job scaling;

  @Parameters(
      paramLabel = "CASE",
      arity = "0..*",
      description = {
        "What to measure; all small ones if none is named. Its size is changed by :layers=N, :sequences=N and",
        ":length=N, as in finetune-llama:layers=12:length=256; on a GPU, frozen weights by :precision=bfloat16."
      })
  private List<String> cases = new ArrayList<>();

  @Option(
      names = "--scaling",
      description = "Runs averaging rounds of a search on Spark; needs a model and data.")
  private boolean scales;

  @Option(names = "--profile", description = "Prints how much of a step each kernel takes, too.")
  private boolean profiles;

  @Spec private CommandSpec spec;
  @Mixin private CommonOptions options;

  /**
   * Makes the command.
   *
   * @param scaling null where there is no Spark
   */
  BenchCommand(JobRunner runner, Actions.Bench action, Actions.Job scaling) {
    this.runner = runner;
    this.action = action;
    this.scaling = scaling;
  }

  @Override
  public Integer call() throws Exception {
    if (scales && !cases.isEmpty()) {
      throw new ParameterException(
          spec.commandLine(), "Cannot measure " + cases.get(0) + " with --scaling: name no case");
    }
    if (scales && profiles) {
      throw new ParameterException(
          spec.commandLine(), "Cannot measure --profile with --scaling: it is for cases");
    }
    if (scales && scaling == null) {
      throw new ParameterException(
          spec.commandLine(), "Cannot measure with --scaling: Spark is not here");
    }
    GuilomoConfig config = options.config();
    if (scales) {
      config.model().requirePath();
      config.data().requireTrain();
      // No lambda of this class may name Spark: it is read by reflection where there is none.
      runner.run(spec.name(), options.verbose(), scaling, config);
    } else {
      runner.runWithoutSpark(
          options.verbose(),
          (progress, out) ->
              action.run(List.copyOf(cases), profiles, config.cluster().device(), progress, out));
    }
    return 0;
  }
}
