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
          "Configuration, HOCON or JSON, on the local disk or any file system Hadoop knows.")
  private String file;

  @Option(
      names = "--set",
      paramLabel = "path=value",
      description = "Sets one key of the configuration, such as search.epochs=2. May be repeated.")
  private List<String> overrides = new ArrayList<>();

  @Option(
      names = "--verbose",
      description = "Shows Spark's messages, and where an error came from.")
  private boolean verbose;

  boolean verbose() {
    return verbose;
  }

  /**
   * The configuration the user gave; {@code defaults} are weaker than what was given by {@code
   * --set}.
   */
  GuilomoConfig config(String... defaults) {
    List<String> all = new ArrayList<>(List.of(defaults));
    all.addAll(overrides);
    return GuilomoConfig.load(file, all);
  }
}
