package io.guilomo.config;

/**
 * How experts and ranks are allocated; {@code guilomo.allocation}.
 *
 * @param strategy name of an allocation strategy
 * @param budgetParameters maximum number of trainable parameters of a plan; 0: no limit
 * @param plan plan for the strategy {@code file}; empty if not given
 * @param experts experts per module in the strategy {@code uniform}
 * @param rank rank of every expert in the strategies {@code uniform}, {@code mola} and {@code
 *     single}
 */
public record AllocationConfig(
    String strategy, long budgetParameters, String plan, int experts, int rank) {

  static AllocationConfig of(ConfigSection section) {
    return new AllocationConfig(
        section.text("strategy"),
        section.section("budget").whole("parameters", 0L),
        section.text("plan"),
        section.whole("experts", 1),
        section.whole("rank", 1));
  }

  /** The path of the plan for the strategy {@code file}. */
  public String requirePlan() {
    return GuilomoConfig.require("allocation.plan", plan);
  }
}
