package io.guilomo.spark.table;

import io.guilomo.plan.AllocationPlan;
import io.guilomo.plan.ExpertPlan;
import io.guilomo.plan.ModulePlan;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.types.StructType;

/** One row per expert of an allocation plan. */
public final class PlanExpertsTable extends Table<PlanExpertsTable.PlannedExpert> {
  public static final PlanExpertsTable INSTANCE = new PlanExpertsTable();

  /**
   * One row.
   *
   * @param expert from 0
   * @param scaling {@code alpha / rank}
   * @param routedTokens (token, slot) pairs routed to it during the search
   * @param parameters trainable parameters, including its row of the router
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
        new StructType()
            .add("strategy", STRING)
            .add("seed", BIGINT)
            .add("layer", INT)
            .add("module", STRING)
            .add("expert", INT)
            .add("rank", INT)
            .add("alpha", DOUBLE)
            .add("scaling", DOUBLE)
            .add("routed_tokens", BIGINT)
            .add("parameters", BIGINT));
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
                plan.alpha() / allocated.rank(),
                allocated.routedTokens(),
                planned.parameters(expert)));
      }
    }
    return rows;
  }

  @Override
  Object[] values(PlannedExpert row) {
    return new Object[] {
      row.strategy(),
      row.seed(),
      row.layer(),
      row.module(),
      row.expert(),
      row.rank(),
      row.alpha(),
      row.scaling(),
      row.routedTokens(),
      row.parameters()
    };
  }
}
