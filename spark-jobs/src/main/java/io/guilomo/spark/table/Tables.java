package io.guilomo.spark.table;

import java.util.List;

/** Every table of an output directory. */
public final class Tables {

  private Tables() {}

  public static List<Table<?>> all() {
    return List.of(
        RunsTable.INSTANCE,
        PlanModulesTable.INSTANCE,
        PlanExpertsTable.INSTANCE,
        GsvHistoryTable.INSTANCE,
        MetricsTable.INSTANCE,
        EvaluationsTable.INSTANCE,
        PredictionsTable.INSTANCE,
        ComparisonTable.INSTANCE);
  }
}
