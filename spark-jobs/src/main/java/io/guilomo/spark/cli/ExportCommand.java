package io.guilomo.spark.cli;

import io.guilomo.adapter.Adapter;
import io.guilomo.adapter.AdapterDescription;
import io.guilomo.adapter.AdapterDirectory;
import io.guilomo.adapter.AdapterFormat;
import io.guilomo.adapter.AdapterFormat.ExportedAdapter;
import io.guilomo.adapter.GuilomoFormat;
import io.guilomo.adapter.MergedFormat;
import io.guilomo.adapter.ModelCard;
import io.guilomo.adapter.ModelCard.Score;
import io.guilomo.adapter.PeftFormat;
import io.guilomo.adapter.ReleasedAdapterFormat;
import io.guilomo.model.UserException;
import io.guilomo.model.UserPath;
import io.guilomo.sizing.ByteSize;
import io.guilomo.spark.progress.ProgressListener;
import io.guilomo.spark.run.OutputDirectory;
import io.guilomo.spark.table.RecordedScores;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
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
        "Writes an adapter in a format that other programs read, with a model card. Prints the files it wrote.",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class)
final class ExportCommand implements Callable<Integer> {

  enum Format {
    GUILOMO,
    RELEASED,
    PEFT,
    MERGED
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
          "guilomo: a verified copy, for predict and the Python package in deploy/python. released: the format"
              + " of the released GuiLoMo code. peft: for Hugging Face PEFT and servers of LoRA adapters. merged:"
              + " a whole Hugging Face checkpoint, for anything that reads one. For the last two the plan must"
              + " have one expert per module.")
  private Format format;

  @Option(
      names = "--output",
      paramLabel = "DIR",
      required = true,
      description =
          "Directory for the files; those of an earlier export with the same names are replaced, with merged all of its"
              + " weights.")
  private String output;

  @Option(
      names = "--pad-rank",
      paramLabel = "N",
      description = "With peft: pads every module to this rank with zeros.")
  private Integer padRank;

  @Option(
      names = "--model",
      paramLabel = "DIR",
      description =
          "With merged: the model, if it is no longer where the adapter was trained with it.")
  private String model;

  @Option(
      names = "--max-shard-size",
      paramLabel = "SIZE",
      description =
          "With merged: the most bytes of tensors in a file, such as 500MB or 2GiB; 5GB by default.")
  private String maxShardSize;

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
          ModelCard card = card(read.description(), layout, progress, conf);
          ExportedAdapter exported = layout.write(read, card, UserPath.of(output), conf);
          exported.files().forEach(out::println);
          if (format == Format.PEFT) {
            out.println("largest rank " + exported.largestRank());
          }
        });
    return 0;
  }

  private ModelCard card(
      AdapterDescription description,
      AdapterFormat layout,
      ProgressListener progress,
      Configuration conf) {
    RecordedScores recorded = RecordedScores.of(adapter, conf);
    List<Score> scores = List.of();
    Optional<String> license = Optional.empty();
    try {
      license = layout.license(description, conf);
      scores = recorded.read(conf);
    } catch (IOException | RuntimeException e) {
      progress.message("warning: the model card is incomplete: " + UserPath.reason(e));
    }
    return new ModelCard(description, layout, recorded.runId(), scores, license);
  }

  private AdapterFormat layout() {
    String name = format.name().toLowerCase(Locale.ROOT);
    if (padRank != null && format != Format.PEFT) {
      throw new UserException(
          "Cannot pad to rank %d: format %s keeps the rank of each expert", padRank, name);
    }
    if (format != Format.MERGED && (model != null || maxShardSize != null)) {
      throw new UserException(
          "Cannot use %s with format %s: only merged writes the model",
          model != null ? "--model" : "--max-shard-size", name);
    }
    return switch (format) {
      case GUILOMO -> new GuilomoFormat();
      case RELEASED -> new ReleasedAdapterFormat();
      case PEFT -> padRank == null ? PeftFormat.unpadded() : PeftFormat.padded(padRank);
      case MERGED ->
          new MergedFormat(
              Optional.ofNullable(model),
              maxShardSize == null ? MergedFormat.MAX_SHARD_BYTES : ByteSize.parse(maxShardSize));
    };
  }
}
