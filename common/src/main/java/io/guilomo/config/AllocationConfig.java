package io.guilomo.config;

import java.util.List;

/**
 * How experts are allocated; {@code guilomo.allocation}.
 *
 * @param budgetParameters largest number of trainable parameters; 0: no limit
 * @param plan file of the plan for strategy {@code file}, else empty
 */
public record AllocationConfig(String strategy, long budgetParameters, String plan) {

  private static final List<String> STRATEGIES = List.of("guilomo", "uniform", "file");

  static AllocationConfig of(Section section) {
    AllocationConfig config =
        new AllocationConfig(
            section.oneOf("strategy", STRATEGIES),
            section.section("budget").whole("parameters", 0L),
            section.text("plan"));
    if (config.strategy.equals("file") && config.plan.isBlank()) {
      throw section.refuse("strategy", "guilomo.allocation.plan must name the plan");
    }
    return config;
  }
}
