package io.guilomo.spark.cli;

import io.guilomo.adapter.Adapter;
import io.guilomo.adapter.AdapterDirectory;
import io.guilomo.adapter.AdapterFormat;
import io.guilomo.adapter.AdapterFormat.ExportedAdapter;
import io.guilomo.adapter.GuilomoFormat;
import io.guilomo.adapter.PeftFormat;
import io.guilomo.adapter.ReleasedAdapterFormat;
import io.guilomo.model.UserException;
import io.guilomo.model.UserPath;
import io.guilomo.spark.run.OutputDirectory;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.SparkConf;
import org.apache.spark.deploy.SparkHadoopUtil;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code export}. */
@Command(
    name = "export",
    description =
        "Writes an adapter in a format that other programs read. Prints the files it wrote.",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class)
final class ExportCommand implements Callable<Integer> {

  enum Format {
    GUILOMO,
    RELEASED,
    PEFT
  }

  private final JobRunner runner;

  @Option(
      names = "--adapter",
      paramLabel = "DIR",
      required = true,
      description =
          "Directory of an adapter that finetune kept, such as runs/RUN_ID/adapter in its output directory.")
  private String adapter;

  @Option(
      names = "--format",
      paramLabel = "FORMAT",
      required = true,
      description =
          "guilomo: a verified copy, for predict and deploy/python/load_adapter.py. released: the format of the"
              + " released GuiLoMo code. peft: for Hugging Face PEFT; the plan must have one expert per"
              + " module.")
  private Format format;

  @Option(
      names = "--output",
      paramLabel = "DIR",
      required = true,
      description = "Directory for the files; files with the same names are replaced.")
  private String output;

  @Option(
      names = "--pad-rank",
      paramLabel = "N",
      description = "With peft: pads every module to this rank with zeros.")
  private Integer padRank;

  @Option(names = "--verbose", description = "Shows all messages, and the stack trace of an error.")
  private boolean verbose;

  ExportCommand(JobRunner runner) {
    this.runner = runner;
  }

  @Override
  public Integer call() throws Exception {
    AdapterFormat layout = layout();
    runner.runWithoutSpark(
        verbose,
        (progress, out) -> {
          // The same spark.hadoop.* settings as in the jobs.
          Configuration conf = SparkHadoopUtil.get().newConfiguration(new SparkConf());
          Adapter read = new AdapterDirectory(UserPath.of(adapter), conf).read();
          OutputDirectory.require("--output", output, conf);
          ExportedAdapter exported = layout.write(read, UserPath.of(output), conf);
          exported.files().forEach(out::println);
          if (format == Format.PEFT) {
            out.println("largest rank " + exported.largestRank());
          }
        });
    return 0;
  }

  private AdapterFormat layout() {
    if (format == Format.PEFT) {
      return padRank == null ? PeftFormat.unpadded() : PeftFormat.padded(padRank);
    }
    if (padRank != null) {
      throw new UserException(
          "Cannot pad to rank %d: format %s keeps the rank of each expert"
              .formatted(padRank, format.name().toLowerCase(Locale.ROOT)));
    }
    if (format == Format.GUILOMO) {
      return new GuilomoFormat();
    }
    return new ReleasedAdapterFormat();
  }
}
