package io.guilomo.spark.table;

import java.time.Instant;
import org.apache.spark.sql.types.StructType;

/** One row per measurement. */
public final class MetricsTable extends Table<MetricsTable.Metric> {
  public static final MetricsTable INSTANCE = new MetricsTable();

  /** Stands for the average over all workers. */
  public static final int ALL_WORKERS = -1;

  /** Name of an expert's share of the tokens routed in its module. */
  public static final String EXPERT_LOAD = "expert_load";

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
  public record Moment(String job, long seed, long round, long step, Instant at) {}

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
        new StructType()
            .add("job", STRING)
            .add("seed", BIGINT)
            .add("round", BIGINT)
            .add("step", BIGINT)
            .add("worker", INT)
            .add("split", STRING)
            .add("name", STRING)
            .add("value", DOUBLE)
            .add("at", TIMESTAMP)
            .add("layer", INT)
            .add("module", STRING)
            .add("expert", INT));
  }

  @Override
  Object[] values(Metric row) {
    return new Object[] {
      row.moment().job(),
      row.moment().seed(),
      row.moment().round(),
      row.moment().step(),
      row.worker(),
      row.split(),
      row.name(),
      row.value(),
      row.moment().at(),
      row.part().layer(),
      row.part().module(),
      row.part().expert()
    };
  }
}
