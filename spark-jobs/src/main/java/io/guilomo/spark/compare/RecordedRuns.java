package io.guilomo.spark.compare;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.max;

import io.guilomo.config.FinetuneConfig;
import io.guilomo.config.GuilomoConfig;
import io.guilomo.model.UserException;
import io.guilomo.plan.AllocationPlan;
import io.guilomo.plan.AllocationStrategies;
import io.guilomo.spark.evaluate.EvaluateJob;
import io.guilomo.spark.finetune.FinetuneJob;
import io.guilomo.spark.input.JobContext;
import io.guilomo.spark.input.PlanFiles;
import io.guilomo.spark.run.RunDirectory;
import io.guilomo.spark.search.AllocateJob;
import io.guilomo.spark.table.EvaluationsTable;
import io.guilomo.spark.table.MetricsTable;
import io.guilomo.spark.table.RunLayout;
import io.guilomo.spark.table.RunsTable;
import io.guilomo.spark.table.Table;
import io.guilomo.spark.table.TableReader;
import java.io.IOException;
import java.sql.Timestamp;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.hadoop.fs.ChecksumException;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/** What the tables say of the runs of a comparison. */
final class RecordedRuns {

  /** Sections of the configuration that do not change what a job leaves. */
  private static final Map<String, List<String>> IRRELEVANT =
      Map.of(
          AllocateJob.NAME,
          List.of("compare.", "checkpoint.", "tracking.", "finetune.", "evaluate.", "generation."),
          FinetuneJob.NAME,
          List.of("compare.", "checkpoint.", "tracking.", "evaluate.", "generation."),
          EvaluateJob.NAME,
          List.of("compare.", "checkpoint.", "tracking."));

  private final JobContext context;
  private final TableReader reader;
  private final String prefix;
  private final RunInputs inputs;

  /** What a job that succeeded had. */
  private record Recorded(String json, long workers) {

    /**
     * @throws UserException if it is another release's, with keys that this one does not know
     */
    GuilomoConfig config() {
      GuilomoConfig config = GuilomoConfig.fromJson(json);
      // Earlier releases did not say how many 0 was.
      return config.cluster().workers() > 0
          ? config
          : config.with(List.of("cluster.workers=" + workers));
    }
  }

  /** The jobs that had succeeded when the comparison began, by run and job. */
  private final Map<String, Map<String, Recorded>> succeeded = new HashMap<>();

  RecordedRuns(JobContext context, TableReader reader, String comparison) {
    this.context = context;
    this.reader = reader;
    this.prefix = comparison + ".";
    this.inputs = new RunInputs(context.hadoop());
    for (Row row : own(RunsTable.INSTANCE).collectAsList()) {
      if (row.getAs("status").equals(RunsTable.SUCCEEDED)) {
        succeeded
            .computeIfAbsent(row.getAs(Table.RUN_ID), run -> new HashMap<>())
            .put(row.getAs("job"), new Recorded(row.getAs("config_json"), row.getAs("workers")));
      }
    }
  }

  private Dataset<Row> own(Table<?> table) {
    return reader.read(table, run -> run.startsWith(prefix));
  }

  /**
   * Whether the job had succeeded with a configuration that means the same to it, and with the
   * files that are there now; says so if they have changed.
   */
  boolean finished(String job, GuilomoConfig config) throws IOException {
    inputs.look(job, config);
    if (!succeeded(job, config)) {
      return false;
    }
    List<String> changed = inputs.changed(job, config);
    if (!changed.isEmpty()) {
      context.message(
          "%s of run %s is done again: the files of %s have changed since"
              .formatted(job, config.run().id(), String.join(" and ", changed)));
    }
    return changed.isEmpty();
  }

  /** Keeps which files a job that has succeeded has read. */
  void ended(String job, GuilomoConfig config) throws IOException {
    inputs.write(job, config);
  }

  private boolean succeeded(String job, GuilomoConfig config) {
    Recorded before = succeeded.getOrDefault(config.run().id(), Map.of()).get(job);
    if (before == null) {
      return false;
    }
    // What a strategy measures, it measures in a fine-tuning.
    String read =
        AllocationStrategies.measures(config.allocation().strategy()) ? "finetune." : null;
    try {
      return config.changes(before.config()).stream()
          .allMatch(
              change ->
                  IRRELEVANT.get(job).stream()
                      .anyMatch(
                          section -> !section.equals(read) && change.key().startsWith(section)));
    } catch (UserException e) {
      return false;
    }
  }

  /**
   * Whether the finished fine-tuning of a run trained these experts: its configuration names the
   * plan's file, which may have been written again.
   */
  boolean trained(JobContext run, AllocationPlan plan) throws IOException {
    GuilomoConfig config = run.config();
    RunDirectory directory =
        new RunDirectory(config.output().dir(), config.run().id(), run.hadoop());
    try {
      return PlanFiles.written(directory.path(RunLayout.PLAN), run.hadoop())
          .moduleExperts()
          .equals(plan.moduleExperts());
    } catch (UserException | ChecksumException e) {
      // It is gone, or damaged.
      return false;
    }
  }

  /** What the validation records said of the adapters that fine-tunings kept, by run. */
  Map<String, Validated> validated(FinetuneConfig.Criterion criterion) {
    Map<String, TreeMap<Long, double[]>> steps = new HashMap<>();
    Dataset<Row> rows =
        own(MetricsTable.INSTANCE)
            .filter(
                col("job")
                    .equalTo(FinetuneJob.NAME)
                    .and(col("split").equalTo("validation"))
                    .and(col("worker").equalTo(MetricsTable.ALL_WORKERS))
                    .and(col("name").isin("loss", "accuracy"))
                    // Before the first round there is no adapter to keep.
                    .and(col("round").gt(0)));
    for (Row row : rows.collectAsList()) {
      double[] measured =
          steps
              .computeIfAbsent(row.getAs(Table.RUN_ID), run -> new TreeMap<>())
              .computeIfAbsent(row.getAs("step"), step -> new double[2]);
      measured[row.getAs("name").equals("loss") ? 0 : 1] = row.getAs("value");
    }
    Map<String, Validated> kept = new HashMap<>();
    steps.forEach(
        (run, measured) ->
            kept.put(
                run,
                Validated.kept(
                    measured.values().stream()
                        .map(values -> new Validated(values[0], values[1]))
                        .toList(),
                    criterion)));
    return kept;
  }

  /** What evaluations found, by run and metric. */
  Map<String, Map<String, Double>> metrics() {
    Map<String, Map<String, Double>> metrics = new HashMap<>();
    for (Row row : own(EvaluationsTable.INSTANCE).collectAsList()) {
      metrics
          .computeIfAbsent(row.getAs(Table.RUN_ID), run -> new TreeMap<>())
          .put(row.getAs("metric"), row.getAs("value"));
    }
    return metrics;
  }

  /** How long the jobs took, by run. */
  Map<String, RunTimes> times() {
    Map<String, Map<String, Double>> seconds = new HashMap<>();
    Map<String, Double> shards = new HashMap<>();
    for (Row row : own(RunsTable.INSTANCE).collectAsList()) {
      String run = row.getAs(Table.RUN_ID);
      Timestamp from = row.getAs("started_at");
      Timestamp to = row.getAs("finished_at");
      if (to != null) {
        seconds
            .computeIfAbsent(run, unread -> new HashMap<>())
            .put(row.getAs("job"), (to.getTime() - from.getTime()) / 1e3);
      }
      Long records = row.getAs("train_records");
      if (row.getAs("job").equals(FinetuneJob.NAME) && records != null) {
        shards.put(run, records / (double) Math.max(1L, row.<Long>getAs("workers")));
      }
    }
    // What earlier attempts did up to their last checkpoints costs, too, as do measurements that an
    // earlier run has made.
    for (Row row :
        own(MetricsTable.INSTANCE)
            .filter(col("name").equalTo(MetricsTable.SEARCH_SECONDS))
            .collectAsList()) {
      seconds
          .computeIfAbsent(row.getAs(Table.RUN_ID), run -> new HashMap<>())
          .put(AllocateJob.NAME, row.getAs("value"));
    }
    Map<String, Long> steps = new HashMap<>();
    Dataset<Row> lastSteps =
        own(MetricsTable.INSTANCE)
            .filter(col("job").equalTo(FinetuneJob.NAME).and(col("split").equalTo("train")))
            .groupBy(Table.RUN_ID)
            .agg(max("step").as("step"));
    for (Row row : lastSteps.collectAsList()) {
      steps.put(row.getAs(Table.RUN_ID), row.<Long>getAs("step") + 1);
    }
    Map<String, RunTimes> times = new HashMap<>();
    seconds.forEach(
        (run, jobs) ->
            times.put(
                run,
                new RunTimes(
                    jobs, steps.getOrDefault(run, 0L), shards.getOrDefault(run, Double.NaN))));
    return times;
  }
}
