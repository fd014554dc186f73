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
      "Measures how fast this machine is. Prints one line of JSON per case.",
      "With --scaling: measures how fast the search of a configuration is with 1, 2, 4, … workers."
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
        "What to measure; all small cases if none is named. :layers=N, :sequences=N and :length=N change its size,",
        "as in finetune-llama:layers=12:length=256; :precision=bfloat16 or int8 keeps frozen weights in two bytes or one;",
        ":recompute=blocks, :routing=dense or sparsegen, :sharing=shared-a and, of searches, :estimator=expected are as in",
        "the settings of the same names."
      })
  private List<String> cases = new ArrayList<>();

  @Option(
      names = "--scaling",
      description = "Measures averaging rounds of a search on Spark; needs a model and data.")
  private boolean scales;

  @Option(names = "--profile", description = "Also prints how much of a step each kernel takes.")
  private boolean profiles;

  @Spec private CommandSpec spec;
  @Mixin private CommonOptions options;

  /**
   * @param scaling null if Spark is not on the class path
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
          spec.commandLine(),
          "Cannot measure " + cases.get(0) + " with --scaling: it takes no cases");
    }
    if (scales && profiles) {
      throw new ParameterException(
          spec.commandLine(), "Cannot use --profile with --scaling: it profiles cases");
    }
    if (scales && scaling == null) {
      throw new ParameterException(
          spec.commandLine(), "Cannot measure with --scaling: Spark is not on the class path");
    }
    GuilomoConfig config = options.config();
    if (scales) {
      config.model().requirePath();
      config.data().requireTrain();
      // No lambda here may mention Spark: picocli reflects on this class where Spark is missing.
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
