package io.guilomo.spark.round;

import io.guilomo.model.LinearModule;
import io.guilomo.network.WeightErrors;
import io.guilomo.spark.table.BufferedRows;
import io.guilomo.spark.table.MetricsTable;
import io.guilomo.spark.table.MetricsTable.Metric;
import io.guilomo.spark.table.MetricsTable.Moment;
import io.guilomo.spark.table.MetricsTable.Part;
import io.guilomo.spark.table.RoundAppender;
import io.guilomo.spark.worker.WorkerRound;
import java.time.Instant;
import java.util.List;
import java.util.function.ToDoubleFunction;

/** The rows of {@code metrics} that one training writes. */
public final class MetricRows {

  public static final String TRAIN = "train";
  public static final String VALIDATION = "validation";

  private static final String WEIGHT_ERROR = "weight_error";

  private final String job;
  private final long seed;
  private final BufferedRows<Metric> rows;

  /**
   * @param job the command that trains
   */
  public MetricRows(RoundAppender<Metric> metrics, String job, long seed) {
    this.job = job;
    this.seed = seed;
    this.rows = new BufferedRows<>(metrics, seed);
  }

  /** The present, after a number of averaging rounds. */
  public Moment now(long round, long step) {
    return new Moment(job, seed, round, step, Instant.now());
  }

  /** Loss and accuracy over all validation records, after {@code step} steps. */
  public void validation(long round, long step, ValidationResult result) {
    Moment at = now(round, step);
    add(at, MetricsTable.ALL_WORKERS, VALIDATION, "loss", result.loss());
    add(at, MetricsTable.ALL_WORKERS, VALIDATION, "accuracy", result.accuracy());
  }

  /** What rounding to 8 bits has lost of the frozen weights, which every worker rounds alike. */
  public void weights(Moment at, WeightErrors errors) {
    if (errors.kinds().isEmpty()) {
      return;
    }
    add(at, MetricsTable.ALL_WORKERS, TRAIN, WEIGHT_ERROR, errors.relative());
    errors
        .kinds()
        .forEach(
            (kind, error) ->
                rows.add(
                    new Metric(
                        at,
                        MetricsTable.ALL_WORKERS,
                        TRAIN,
                        WEIGHT_ERROR,
                        error.relative(),
                        new Part(null, kind, null))));
  }

  /** A training measurement of each worker, and its mean. */
  public <S> void addAll(
      Moment at,
      String name,
      List<WorkerRound<S>> workers,
      ToDoubleFunction<WorkerRound<S>> value) {
    double sum = 0;
    for (WorkerRound<S> worker : workers) {
      double own = value.applyAsDouble(worker);
      add(at, worker.worker(), TRAIN, name, own);
      sum += own;
    }
    add(at, MetricsTable.ALL_WORKERS, TRAIN, name, sum / workers.size());
  }

  /** A measurement of the whole model. */
  public void add(Moment at, int worker, String split, String name, double value) {
    rows.add(new Metric(at, worker, split, name, value));
  }

  /**
   * A training measurement of one module.
   *
   * @param expert null for all
   */
  public void addOf(
      Moment at, int worker, LinearModule module, Integer expert, String name, double value) {
    rows.add(
        new Metric(
            at, worker, TRAIN, name, value, new Part(module.layer(), module.name(), expert)));
  }

  /** As {@link BufferedRows#write}. */
  public void write(long round, boolean now) {
    rows.write(round, now);
  }
}
