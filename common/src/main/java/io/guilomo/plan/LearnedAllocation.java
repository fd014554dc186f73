package io.guilomo.plan;

import java.util.List;

/**
 * The strategy {@code guilomo}: what the GuidedSelection Vectors of a search settled on (arXiv
 * 2506.14646).
 *
 * @param seed seed of the search
 */
public record LearnedAllocation(long seed, int topK, double alpha) {

  /** Name of the strategy. */
  public static final String STRATEGY = "guilomo";

  /**
   * {@code max(2, argmax g + 1)} experts a module, of rank {@code argmax h_e + 1}; ties go to the
   * first index.
   */
  public AllocationPlan plan(List<GuidedSelection> selections) {
    return new AllocationPlan(
        STRATEGY,
        seed,
        topK,
        alpha,
        false,
        selections.stream().map(GuidedSelection::plan).toList());
  }
}
