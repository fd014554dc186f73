package io.guilomo.config;

/**
 * How experts and ranks are allocated; {@code guilomo.allocation}.
 *
 * @param strategy name of an allocation strategy
 * @param budgetParameters maximum number of trainable parameters of a plan; 0: no limit
 * @param plan plan for the strategy {@code file}; empty if not given
 * @param experts experts per module in the strategy {@code uniform}, and on average in {@code
 *     alphalora}
 * @param rank rank of every expert in the strategies {@code uniform}, {@code mola}, {@code
 *     alphalora} and {@code single}; the largest of {@code hilo}
 * @param steps steps per worker of the training that {@code usage}, {@code svd}, {@code fisher} and
 *     {@code marginal} measure; 0: one pass over the training records
 */
public record AllocationConfig(
    String strategy, long budgetParameters, String plan, int experts, int rank, long steps) {

  static AllocationConfig of(ConfigSection section) {
    return new AllocationConfig(
        section.text("strategy"),
        section.section("budget").whole("parameters", 0L),
        section.text("plan"),
        section.whole("experts", 1),
        section.whole("rank", 1),
        section.whole("steps", 0L));
  }

  /** The path of the plan for the strategy {@code file}. */
  public String requirePlan() {
    return GuilomoConfig.require("allocation.plan", plan);
  }
}
