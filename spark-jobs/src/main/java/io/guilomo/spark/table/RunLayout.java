package io.guilomo.spark.table;

/** Names of the files and directories of a run, {@code runs/RUN_ID} under the output directory. */
public final class RunLayout {

  /** The directory of all runs. */
  public static final String RUNS = "runs";

  /** The run's own plan. */
  public static final String PLAN = "plan.json";

  /** The configuration of the training. */
  public static final String CONFIG = "config.conf";

  public static final String REPORT = "report.html";

  /** The directory of the best adapter. */
  public static final String ADAPTER = "adapter";

  private RunLayout() {}
}
