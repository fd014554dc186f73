package io.guilomo.spark.table;

import io.guilomo.plan.AllocationPlan;
import java.util.List;
import org.apache.spark.sql.types.StructType;

/** One row per module of an allocation plan. */
public final class PlanModulesTable extends Table<PlanModulesTable.PlannedModule> {
  public static final PlanModulesTable INSTANCE = new PlanModulesTable();

  /**
   * One row.
   *
   * @param topK experts per token
   * @param totalRank sum of the ranks of its experts
   * @param parameters trainable parameters, including the router
   */
  public record PlannedModule(
      String strategy,
      long seed,
      int layer,
      String module,
      long inFeatures,
      long outFeatures,
      long experts,
      long topK,
      long totalRank,
      long parameters) {}

  private PlanModulesTable() {
    super(
        "plan_modules",
        1,
        new StructType()
            .add("strategy", STRING)
            .add("seed", BIGINT)
            .add("layer", INT)
            .add("module", STRING)
            .add("in_features", BIGINT)
            .add("out_features", BIGINT)
            .add("experts", BIGINT)
            .add("top_k", BIGINT)
            .add("total_rank", BIGINT)
            .add("parameters", BIGINT));
  }

  /** The rows of a plan, in its order. */
  public static List<PlannedModule> rows(AllocationPlan plan) {
    return plan.modules().stream()
        .map(
            planned ->
                new PlannedModule(
                    plan.strategy(),
                    plan.seed(),
                    planned.module().layer(),
                    planned.module().name(),
                    planned.module().inFeatures(),
                    planned.module().outFeatures(),
                    planned.experts().size(),
                    plan.topK(planned.module()),
                    planned.totalRank(),
                    planned.parameters()))
        .toList();
  }

  @Override
  Object[] values(PlannedModule row) {
    return new Object[] {
      row.strategy(),
      row.seed(),
      row.layer(),
      row.module(),
      row.inFeatures(),
      row.outFeatures(),
      row.experts(),
      row.topK(),
      row.totalRank(),
      row.parameters()
    };
  }
}
