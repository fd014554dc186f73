package io.guilomo.spark.table;

import java.time.Instant;
import org.apache.spark.sql.types.StructType;

/** One row a measurement. */
public final class MetricsTable extends Table<MetricsTable.Metric> {
  public static final MetricsTable INSTANCE = new MetricsTable();

  /** The worker of a value that is averaged over all workers. */
  public static final int ALL_WORKERS = -1;

  /** Name of an expert's share of the tokens that were routed in its module. */
  public static final String EXPERT_LOAD = "expert_load";

  /**
   * One row.
   *
   * @param job the command that measured
   * @param round averaging round
   * @param step training step
   * @param worker {@link #ALL_WORKERS}: averaged over workers
   * @param split {@code train}, {@code validation} or {@code test}
   * @param name {@code loss}, {@code accuracy}, …
   * @param layer of the module that was measured, from 0; null for the whole model
   * @param module null for the whole model
   * @param expert that was measured, from 0; null for all
   */
  public record Metric(
      String job,
      long seed,
      long round,
      long step,
      int worker,
      String split,
      String name,
      double value,
      Instant at,
      Integer layer,
      String module,
      Integer expert) {

    /** Of the whole model. */
    public Metric(
        String job,
        long seed,
        long round,
        long step,
        int worker,
        String split,
        String name,
        double value,
        Instant at) {
      this(job, seed, round, step, worker, split, name, value, at, null, null, null);
    }
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
      row.job(),
      row.seed(),
      row.round(),
      row.step(),
      row.worker(),
      row.split(),
      row.name(),
      row.value(),
      row.at(),
      row.layer(),
      row.module(),
      row.expert()
    };
  }
}
