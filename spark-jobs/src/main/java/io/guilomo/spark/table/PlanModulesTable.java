package io.guilomo.spark.table;

import io.guilomo.plan.AllocationPlan;
import java.util.List;

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
        List.of(
            column("strategy", STRING, PlannedModule::strategy),
            column("seed", BIGINT, PlannedModule::seed),
            column("layer", INT, PlannedModule::layer),
            column("module", STRING, PlannedModule::module),
            column("in_features", BIGINT, PlannedModule::inFeatures),
            column("out_features", BIGINT, PlannedModule::outFeatures),
            column("experts", BIGINT, PlannedModule::experts),
            column("top_k", BIGINT, PlannedModule::topK),
            column("total_rank", BIGINT, PlannedModule::totalRank),
            column("parameters", BIGINT, PlannedModule::parameters)));
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
                    planned.parameters(plan.sharing())))
        .toList();
  }
}
