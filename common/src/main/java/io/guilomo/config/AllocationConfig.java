package io.guilomo.config;

/**
 * What decides who gets experts; {@code guilomo.allocation}.
 *
 * @param strategy name of an allocation strategy
 * @param budgetParameters most trainable parameters of a plan; 0: no limit
 * @param plan file of the strategy {@code file}; empty if not given
 * @param experts of every module in the strategy {@code uniform}
 * @param rank of every expert in the strategies {@code uniform}, {@code mola} and {@code single}
 */
public record AllocationConfig(
    String strategy, long budgetParameters, String plan, int experts, int rank) {

  static AllocationConfig of(Section section) {
    return new AllocationConfig(
        section.text("strategy"),
        section.section("budget").whole("parameters", 0L),
        section.text("plan"),
        section.whole("experts", 1),
        section.whole("rank", 1));
  }

  /** Where the plan of the strategy {@code file} is. */
  public String requirePlan() {
    return GuilomoConfig.require("allocation.plan", plan);
  }
}
