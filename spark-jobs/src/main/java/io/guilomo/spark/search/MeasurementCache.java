package io.guilomo.spark.search;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.guilomo.config.GuilomoConfig;
import io.guilomo.io.ContentDigest;
import io.guilomo.model.RecordSource;
import io.guilomo.model.UserException;
import io.guilomo.model.UserPath;
import io.guilomo.plan.CandidateMeasurements;
import io.guilomo.plan.CandidateMeasurementsParser;
import io.guilomo.spark.data.ShardedData;
import io.guilomo.spark.input.FileStates;
import io.guilomo.spark.input.JobContext;
import io.guilomo.spark.round.TrainingPlan;
import io.guilomo.spark.worker.Workers;
import io.guilomo.training.TrainingStepResult;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * The measurements of a short training in {@code measurements/} of the output directory, under a
 * digest of everything that they depend on.
 */
final class MeasurementCache {

  private final Path path;
  private final FileSystem files;

  private MeasurementCache(Path path, FileSystem files) {
    this.path = path;
    this.files = files;
  }

  static MeasurementCache of(
      JobContext context, TrainingPlan<TrainingStepResult> plan, ShardedData data, Workers workers)
      throws IOException {
    String text = String.join("\n", causes(context, plan, data, workers));
    Path path =
        new Path(
            UserPath.of(context.config().output().dir()),
            "measurements/"
                + ContentDigest.sha256(text.getBytes(StandardCharsets.UTF_8)).substring(0, 32)
                + ".json");
    return new MeasurementCache(path, path.getFileSystem(context.hadoop()));
  }

  /** All that they depend on. */
  private static List<String> causes(
      JobContext context, TrainingPlan<TrainingStepResult> plan, ShardedData data, Workers workers)
      throws IOException {
    GuilomoConfig config = context.config();
    JsonNode root = new ObjectMapper().readTree(config.asJson()).required("guilomo");
    List<String> causes =
        new ArrayList<>(
            List.of(
                plan.toString(),
                workers.count() + " workers on " + workers.device() + ", " + workers.precision(),
                root.required("model").toString(),
                root.required("data").toString(),
                data.report().toString()));
    causes.addAll(FileStates.ofModel(config.model().requirePath(), context.hadoop()));
    List<RecordSource> sources =
        Stream.of(config.data().records(), config.data().validationRecords())
            .filter(records -> !records.isBlank())
            .toList();
    // A table has no file names and modification times to identify its content.
    String content = sources.stream().allMatch(RecordSource::isPath) ? "" : data.digest();
    for (RecordSource records : sources) {
      causes.addAll(
          records.isPath()
              ? FileStates.ofRecords(records.text(), context.hadoop())
              : List.of(content));
    }
    return causes;
  }

  /** Where they are, or would be. */
  Path path() {
    return path;
  }

  /**
   * The measurements, if an earlier run made them.
   *
   * @throws UserException if the file is not of measurements
   */
  Optional<CandidateMeasurements> read() throws IOException {
    if (!files.exists(path)) {
      return Optional.empty();
    }
    try (var in = files.open(path)) {
      return Optional.of(
          CandidateMeasurementsParser.fromJson(
              path.toString(), new String(in.readAllBytes(), StandardCharsets.UTF_8)));
    } catch (UserException e) {
      throw new UserException("%s; delete it to measure again".formatted(e.getMessage()), e);
    }
  }

  /** Under another name first: who finds the file finds all of it. */
  void write(CandidateMeasurements measured) throws IOException {
    Path temporary = new Path(path.getParent(), "_" + UUID.randomUUID() + ".tmp");
    try (OutputStream out = files.create(temporary, false)) {
      out.write(CandidateMeasurementsParser.toJson(measured).getBytes(StandardCharsets.UTF_8));
    }
    // Where another run was faster, its measurements are as good.
    if (!files.rename(temporary, path)) {
      files.delete(temporary, false);
    }
  }
}
