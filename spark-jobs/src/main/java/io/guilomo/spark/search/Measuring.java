package io.guilomo.spark.search;

import static org.apache.spark.sql.functions.col;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.guilomo.config.GuilomoConfig;
import io.guilomo.io.ContentDigest;
import io.guilomo.model.RecordSource;
import io.guilomo.model.UserException;
import io.guilomo.model.UserPath;
import io.guilomo.network.BackboneConfig;
import io.guilomo.plan.CandidateMeasurements;
import io.guilomo.plan.CandidateMeasurementsParser;
import io.guilomo.spark.checkpoint.Checkpoint;
import io.guilomo.spark.checkpoint.TrainingCheckpoints;
import io.guilomo.spark.data.ShardedData;
import io.guilomo.spark.input.JobContext;
import io.guilomo.spark.round.MetricRows;
import io.guilomo.spark.round.TrainingPlan;
import io.guilomo.spark.run.RecordedRun;
import io.guilomo.spark.table.MetricsTable;
import io.guilomo.spark.table.RoundAppender;
import io.guilomo.spark.table.TableReader;
import io.guilomo.spark.worker.Workers;
import io.guilomo.training.TrainingStepResult;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * The measurements of one short training, which are made once for all strategies, budgets and runs
 * that need the same: they are kept in {@code measurements/} of the output directory, under a
 * digest of everything that they depend on.
 */
final class Measuring {
  private static final String STEPS = "search_steps";

  private final JobContext context;
  private final RecordedRun run;
  private final ShardedData data;
  private final Workers workers;
  private final TrainingPlan<TrainingStepResult> plan;

  Measuring(
      JobContext context,
      RecordedRun run,
      BackboneConfig backbone,
      ShardedData data,
      Workers workers) {
    this.context = context;
    this.run = run;
    this.data = data;
    this.workers = workers;
    this.plan = MeasuringRun.plan(context.config(), backbone, data);
  }

  /** Finds or makes them, and records what they cost. */
  CandidateMeasurements measurements() throws IOException {
    Path kept = kept();
    FileSystem files = kept.getFileSystem(context.hadoop());
    CandidateMeasurements measured;
    if (files.exists(kept)) {
      measured = read(files, kept);
      context.message(
          String.format(
              Locale.ROOT,
              "measurements of a training of %d steps, which took %.0f s, found in %s",
              measured.steps(),
              measured.seconds(),
              kept));
      if (!recorded(measured)) {
        RoundAppender<MetricsTable.Metric> table = run.tables().begin(MetricsTable.INSTANCE);
        cost(new MetricRows(table, AllocateJob.NAME, plan.seed()), 0, measured);
        table.finish();
      }
    } else {
      measured = measure();
      write(files, kept, CandidateMeasurementsParser.toJson(measured));
    }
    run.directory().write("measurements.json", CandidateMeasurementsParser.toJson(measured));
    return measured;
  }

  /**
   * Whether the run has the metrics of the measurements: an earlier attempt made or found them, and
   * wrote their cost last. No two trainings take as long.
   */
  private boolean recorded(CandidateMeasurements measured) {
    return !new TableReader(context.spark(), context.config().output().dir())
        .read(MetricsTable.INSTANCE, run.runId())
        .filter(
            col("job")
                .equalTo(AllocateJob.NAME)
                .and(col("name").equalTo(MetricsTable.SEARCH_SECONDS))
                .and(col("value").equalTo(measured.seconds())))
        .isEmpty();
  }

  private CandidateMeasurements measure() throws IOException {
    TrainingCheckpoints checkpoints =
        new TrainingCheckpoints(
            run.checkpoints().of(plan.seed()),
            context.config(),
            List.of("finetune."),
            context.progress());
    Optional<Checkpoint> resumed = checkpoints.newest();
    RoundAppender<MetricsTable.Metric> table =
        resumed.isEmpty()
            ? run.tables().begin(MetricsTable.INSTANCE)
            : run.tables()
                .resume(MetricsTable.INSTANCE, Map.of(plan.seed(), resumed.get().round()));
    MetricRows metrics = new MetricRows(table, AllocateJob.NAME, plan.seed());
    CandidateMeasurements measured =
        new MeasuringRun(context, plan, data, workers, metrics).run(resumed, checkpoints);
    // A round of its own: that of the last step may be written already.
    cost(metrics, plan.rounds().steps() + 1, measured);
    table.finish();
    return measured;
  }

  private static void cost(MetricRows metrics, long round, CandidateMeasurements measured) {
    MetricsTable.Moment at = metrics.now(round, measured.steps());
    metrics.add(
        at,
        MetricsTable.ALL_WORKERS,
        MetricRows.TRAIN,
        MetricsTable.SEARCH_SECONDS,
        measured.seconds());
    metrics.add(at, MetricsTable.ALL_WORKERS, MetricRows.TRAIN, STEPS, measured.steps());
    metrics.write(round, true);
  }

  private Path kept() throws IOException {
    return new Path(
        UserPath.of(context.config().output().dir()),
        "measurements/"
            + ContentDigest.sha256(String.join("\n", causes()).getBytes(StandardCharsets.UTF_8))
                .substring(0, 32)
            + ".json");
  }

  /** All that they depend on. */
  private List<String> causes() throws IOException {
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
    causes.addAll(files(config.model().requirePath()));
    List<RecordSource> sources =
        Stream.of(config.data().records(), config.data().validationRecords())
            .filter(records -> !records.isBlank())
            .toList();
    // A table has no file names and modification times to identify its content.
    String content = sources.stream().allMatch(RecordSource::isPath) ? "" : data.digest();
    for (RecordSource records : sources) {
      causes.addAll(records.isPath() ? files(records.text()) : List.of(content));
    }
    return causes;
  }

  /** Names, sizes and times of change of the files of a directory, or of those a pattern names. */
  private List<String> files(String path) throws IOException {
    UserPath given = UserPath.open(path, context.hadoop());
    FileStatus[] found =
        given.files().exists(given.path())
            ? given.files().listStatus(given.path())
            : given.files().globStatus(given.path());
    return Arrays.stream(found == null ? new FileStatus[0] : found)
        .map(file -> file.getPath() + " " + file.getLen() + " " + file.getModificationTime())
        .sorted()
        .toList();
  }

  private static CandidateMeasurements read(FileSystem files, Path kept) throws IOException {
    try (var in = files.open(kept)) {
      return CandidateMeasurementsParser.fromJson(
          kept.toString(), new String(in.readAllBytes(), StandardCharsets.UTF_8));
    } catch (UserException e) {
      throw new UserException("%s; delete it to measure again".formatted(e.getMessage()), e);
    }
  }

  /** Under another name first: who finds the file finds all of it. */
  private static void write(FileSystem files, Path kept, String json) throws IOException {
    Path temporary = new Path(kept.getParent(), "_" + UUID.randomUUID() + ".tmp");
    try (OutputStream out = files.create(temporary, false)) {
      out.write(json.getBytes(StandardCharsets.UTF_8));
    }
    // Where another run was faster, its measurements are as good.
    if (!files.rename(temporary, kept)) {
      files.delete(temporary, false);
    }
  }
}
