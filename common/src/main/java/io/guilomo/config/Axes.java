package io.guilomo.config;

import java.util.ArrayList;
import java.util.List;

/**
 * What a comparison varies beside strategies, budgets and seeds: every strategy is compared at each
 * combination of a routing and a sharing.
 *
 * @param routings values of {@code lora-moe.routing}, at least one
 * @param sharings values of {@code lora-moe.sharing}, at least one
 */
public record Axes(List<String> routings, List<String> sharings) {

  /**
   * One combination.
   *
   * @param differing those of the two that the comparison has other values of
   */
  public record Combination(String routing, String sharing, List<String> differing) {

    /** What a strategy is called here: {@code uniform (dense, shared-a)}. */
    public String of(String strategy) {
      return differing.isEmpty() ? strategy : strategy + " (" + String.join(", ", differing) + ")";
    }

    /** What the configuration of its runs has: {@code path=value}. */
    public List<String> settings() {
      return List.of("lora-moe.routing=" + routing, "lora-moe.sharing=" + sharing);
    }
  }

  public List<Combination> combinations() {
    return routings.stream()
        .flatMap(routing -> sharings.stream().map(sharing -> combination(routing, sharing)))
        .toList();
  }

  /**
   * The first routing and sharing: those of the baseline and of the full allocation, with which all
   * combinations are compared, and whose parameters budgets are shares of.
   */
  public Combination first() {
    return combination(routings.get(0), sharings.get(0));
  }

  /** One of the combinations. */
  public Combination combination(String routing, String sharing) {
    List<String> differing = new ArrayList<>();
    if (routings.size() > 1) {
      differing.add(routing);
    }
    if (sharings.size() > 1) {
      differing.add(sharing);
    }
    return new Combination(routing, sharing, List.copyOf(differing));
  }
}
