package io.guilomo.spark.table;

import java.time.Instant;
import java.util.List;

/** One row per measurement. */
public final class MetricsTable extends Table<MetricsTable.Metric> {
  public static final MetricsTable INSTANCE = new MetricsTable();

  /** Stands for the average over all workers. */
  public static final int ALL_WORKERS = -1;

  /** Name of an expert's share of the tokens routed in its module. */
  public static final String EXPERT_LOAD = "expert_load";

  /** Name of the number of experts that a token uses, mean over tokens. */
  public static final String ACTIVE_EXPERTS = "active_experts";

  /**
   * What the measurements that a plan is read off took, whether this run or an earlier made them.
   */
  public static final String SEARCH_SECONDS = "search_seconds";

  /** Steps per worker that a search which stopped early did not need. */
  public static final String SPARED_STEPS = "spared_steps";

  /**
   * One row.
   *
   * @param worker the worker that measured, or {@link #ALL_WORKERS}
   * @param split {@code train} or {@code validation}
   * @param name {@code loss}, {@code accuracy}, …
   */
  public record Metric(
      Moment moment, int worker, String split, String name, double value, Part part) {

    /** Measured on the whole model. */
    public Metric(Moment moment, int worker, String split, String name, double value) {
      this(moment, worker, split, name, value, Part.MODEL);
    }
  }

  /**
   * When something was measured.
   *
   * @param job the command that measured
   * @param round averaging round
   * @param step training step, on each worker
   */
  public record Moment(String job, long seed, long round, long step, Instant at) {

    /** Another step of the same round, at the same time. */
    public Moment step(long other) {
      return new Moment(job, seed, round, other, at);
    }
  }

  /**
   * The part of the model that was measured.
   *
   * @param layer layer of the module, from 0; null for the whole model
   * @param module null for the whole model
   * @param expert from 0; null for all
   */
  public record Part(Integer layer, String module, Integer expert) {
    static final Part MODEL = new Part(null, null, null);
  }

  private MetricsTable() {
    super(
        "metrics",
        2,
        List.of(
            column("job", STRING, row -> row.moment().job()),
            column("seed", BIGINT, row -> row.moment().seed()),
            column("round", BIGINT, row -> row.moment().round()),
            column("step", BIGINT, row -> row.moment().step()),
            column("worker", INT, Metric::worker),
            column("split", STRING, Metric::split),
            column("name", STRING, Metric::name),
            column("value", DOUBLE, Metric::value),
            column("at", TIMESTAMP, row -> row.moment().at()),
            column("layer", INT, row -> row.part().layer()),
            column("module", STRING, row -> row.part().module()),
            column("expert", INT, row -> row.part().expert())));
  }
}
