package io.guilomo.model;

import java.io.Serializable;
import java.util.Collections;
import java.util.List;

/**
 * The experts on one linear module.
 *
 * @param ranks rank {@code r_e} of each expert
 * @param scalings {@code s_e}, the factor on each expert's output
 * @param routing how tokens are routed to them
 * @param sharing what they share
 */
public record ModuleExperts(
    LinearModule module,
    List<Integer> ranks,
    List<Double> scalings,
    RoutingMethod routing,
    Sharing sharing)
    implements Serializable {

  public ModuleExperts {
    ranks = List.copyOf(ranks);
    scalings = List.copyOf(scalings);
    if (ranks.isEmpty() || scalings.size() != ranks.size()) {
      throw new UserException(
          "Cannot put %d experts with %d scalings on %s", ranks.size(), scalings.size(), module);
    }
    for (int rank : ranks) {
      if (rank < 1) {
        throw new UserException(
            "Cannot put an expert of rank %d on %s: must be at least 1", rank, module);
      }
    }
  }

  /** Experts that share nothing. */
  public ModuleExperts(
      LinearModule module, List<Integer> ranks, List<Double> scalings, RoutingMethod routing) {
    this(module, ranks, scalings, routing, Sharing.NONE);
  }

  /** Experts of the given ranks, each scaled by its rank. */
  public static ModuleExperts of(LinearModule module, List<Integer> ranks, ExpertForm form) {
    List<Double> scalings = ranks.stream().map(form.scaling()::of).toList();
    return new ModuleExperts(module, ranks, scalings, form.routing(), form.sharing());
  }

  /** Experts of the given ranks that share nothing, each scaled by {@code alpha / r_e}. */
  public static ModuleExperts of(
      LinearModule module, List<Integer> ranks, double alpha, RoutingMethod routing) {
    return of(module, ranks, new ExpertForm(routing, Scaling.overRank(alpha)));
  }

  public static ModuleExperts uniform(LinearModule module, int experts, int rank, ExpertForm form) {
    return of(module, Collections.nCopies(experts, rank), form);
  }

  /** Experts of one rank that share nothing, each scaled by {@code alpha / rank}. */
  public static ModuleExperts uniform(
      LinearModule module, int experts, int rank, double alpha, RoutingMethod routing) {
    return uniform(module, experts, rank, new ExpertForm(routing, Scaling.overRank(alpha)));
  }

  public int experts() {
    return ranks.size();
  }

  /**
   * Fewest experts that an allocation leaves a module: two, or the only candidate, which is a plain
   * LoRA of the rank that is chosen.
   */
  public static int minExperts(int candidates) {
    return Math.min(2, candidates);
  }

  /** {@code R = Σ r_e}. */
  public int totalRank() {
    return ranks.stream().mapToInt(Integer::intValue).sum();
  }

  /**
   * Entries of the module's GSVs where these experts are the candidates: of the expert vector
   * {@code g}, then of the rank vectors {@code h_0}, {@code h_1}, …; {@code experts + R}.
   */
  public int gsvEntries() {
    return experts() + totalRank();
  }

  /** Entries of the GSVs of all modules, one module after another. */
  public static int gsvEntries(List<ModuleExperts> modules) {
    return modules.stream().mapToInt(ModuleExperts::gsvEntries).sum();
  }

  /** Rows of {@code A}: {@code R}, or if the experts share it the largest rank. */
  public int rowsOfA() {
    return sharing.rowsOfA(ranks);
  }

  /** First column of each expert in the stacked form, and the end: {@code [experts + 1]}. */
  public int[] firstColumns() {
    int[] first = new int[experts() + 1];
    for (int e = 0; e < experts(); e++) {
      first[e + 1] = first[e] + ranks.get(e);
    }
    return first;
  }
}
