package io.guilomo.spark.search;

import static org.apache.spark.sql.functions.col;

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
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * The measurements of one short training, which are made once for all strategies, budgets and runs
 * that need the same: {@link MeasurementCache} keeps them.
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
    MeasurementCache cache = MeasurementCache.of(context, plan, data, workers);
    Optional<CandidateMeasurements> kept = cache.read();
    CandidateMeasurements measured;
    if (kept.isPresent()) {
      measured = kept.get();
      context.message(
          String.format(
              Locale.ROOT,
              "measurements of a training of %d steps, which took %.0f s, found in %s",
              measured.steps(),
              measured.seconds(),
              cache.path()));
      if (!recorded(measured)) {
        RoundAppender<MetricsTable.Metric> table = run.tables().begin(MetricsTable.INSTANCE);
        cost(new MetricRows(table, AllocateJob.NAME, plan.seed()), 0, measured);
        table.finish();
      }
    } else {
      measured = measure();
      cache.write(measured);
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
}
