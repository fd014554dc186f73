package io.guilomo.spark.table;

import io.guilomo.plan.AllocationPlan;
import io.guilomo.plan.ExpertPlan;
import io.guilomo.plan.ModulePlan;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/** One row per expert of an allocation plan. */
public final class PlanExpertsTable extends Table<PlanExpertsTable.PlannedExpert> {
  public static final PlanExpertsTable INSTANCE = new PlanExpertsTable();

  /**
   * One row.
   *
   * @param expert from 0
   * @param scaling {@code alpha / rank} or {@code alpha / √rank}
   * @param routedTokens (token, slot) pairs routed to it during the search
   * @param parameters trainable parameters of its own, including its row of the router; without
   *     {@code A} where the experts share it
   */
  public record PlannedExpert(
      String strategy,
      long seed,
      int layer,
      String module,
      int expert,
      int rank,
      double alpha,
      double scaling,
      long routedTokens,
      long parameters) {}

  private PlanExpertsTable() {
    super(
        "plan_experts",
        1,
        List.of(
            column("strategy", STRING, PlannedExpert::strategy),
            column("seed", BIGINT, PlannedExpert::seed),
            column("layer", INT, PlannedExpert::layer),
            column("module", STRING, PlannedExpert::module),
            column("expert", INT, PlannedExpert::expert),
            column("rank", INT, PlannedExpert::rank),
            column("alpha", DOUBLE, PlannedExpert::alpha),
            column("scaling", DOUBLE, PlannedExpert::scaling),
            column("routed_tokens", BIGINT, PlannedExpert::routedTokens),
            column("parameters", BIGINT, PlannedExpert::parameters)));
  }

  /** The rows of a plan, in its order. */
  public static List<PlannedExpert> rows(AllocationPlan plan) {
    List<PlannedExpert> rows = new ArrayList<>();
    for (ModulePlan planned : plan.modules()) {
      for (int expert = 0; expert < planned.experts().size(); expert++) {
        ExpertPlan allocated = planned.experts().get(expert);
        rows.add(
            new PlannedExpert(
                plan.strategy(),
                plan.seed(),
                planned.module().layer(),
                planned.module().name(),
                expert,
                allocated.rank(),
                plan.alpha(),
                plan.scaling().of(allocated.rank()),
                allocated.routedTokens(),
                planned.parameters(expert, plan.sharing())));
      }
    }
    return rows;
  }

  /** A plan that no run has written, with the table's own columns. */
  public static Dataset<Row> frame(SparkSession spark, AllocationPlan plan) {
    return spark
        .createDataFrame(rows(plan).stream().map(INSTANCE::row).toList(), INSTANCE.fileSchema())
        .drop(SCHEMA_VERSION);
  }
}
