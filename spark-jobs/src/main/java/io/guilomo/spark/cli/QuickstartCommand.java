package io.guilomo.spark.cli;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.model.UserException;
import io.guilomo.spark.compare.QuickstartJob;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code quickstart}. */
@Command(
    name = "quickstart",
    description =
        "Learns a plan for a small pretrained model, trains it, and compares it with a uniform plan.",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class)
final class QuickstartCommand implements Callable<Integer> {

  private final JobRunner runner;
  private final Actions.Quickstart action;

  @Option(
      names = "--directory",
      paramLabel = "DIR",
      defaultValue = "target/quickstart",
      description =
          "Directory of the model and the data, which deploy/guilomo prepares (default: ${DEFAULT-VALUE}).")
  private Path directory;

  @Mixin private CommonOptions options;

  QuickstartCommand(JobRunner runner, Actions.Quickstart action) {
    this.runner = runner;
    this.action = action;
  }

  @Override
  public Integer call() throws Exception {
    Path model = directory.resolve("model");
    if (!Files.isDirectory(model)) {
      throw new UserException(
          "Cannot find a model in %s: run deploy/guilomo quickstart, which fetches it", directory);
    }
    Path data = QuickstartJob.data(directory);
    GuilomoConfig config =
        options.config(
            "model.path=" + local(model),
            "data.task=classification",
            "data.train=" + local(data.resolve("train.jsonl")),
            "data.validation=" + local(data.resolve("validation.jsonl")),
            "evaluate.data=" + local(data.resolve("test.jsonl")),
            "output.dir=" + local(directory.resolve("output")));
    JobRunner.preload();
    runner.run(
        "quickstart",
        options.verbose(),
        (spark, progress, out) -> action.run(spark, config, directory, progress, out));
    return 0;
  }

  /** Without its scheme, a path would be on the file system that {@code HADOOP_CONF_DIR} names. */
  private static String local(Path path) {
    return "file:" + path.toAbsolutePath();
  }
}
