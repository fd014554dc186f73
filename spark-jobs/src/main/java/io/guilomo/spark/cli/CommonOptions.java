package io.guilomo.spark.cli;

import io.guilomo.config.GuilomoConfig;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/** Options of every command that runs a job. */
final class CommonOptions {

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description =
          "Configuration in HOCON or JSON, on the local disk or any file system that Hadoop supports.")
  private String file;

  @Option(
      names = "--set",
      paramLabel = "path=value",
      description = "Sets one key of the configuration, such as search.epochs=2. May be repeated.")
  private List<String> overrides = new ArrayList<>();

  @Option(
      names = "--verbose",
      description = "Shows Spark's messages, and the stack trace of an error.")
  private boolean verbose;

  boolean verbose() {
    return verbose;
  }

  /**
   * The configuration that the user gave.
   *
   * @param defaults override the file; {@code --set} overrides them
   */
  GuilomoConfig config(String... defaults) {
    List<String> all = new ArrayList<>(List.of(defaults));
    all.addAll(overrides);
    return GuilomoConfig.load(file, all);
  }
}
