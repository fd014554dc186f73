package io.guilomo.network;

import io.guilomo.model.LinearModule;
import io.guilomo.model.UserException;
import java.io.Serializable;
import java.util.Collections;
import java.util.List;

/**
 * The experts on one linear module.
 *
 * @param ranks rank {@code r_e} of each expert
 * @param scalings {@code s_e}, the factor on each expert's output
 * @param topK experts a token is routed to
 */
public record ModuleExperts(
    LinearModule module, List<Integer> ranks, List<Double> scalings, int topK)
    implements Serializable {

  public ModuleExperts {
    ranks = List.copyOf(ranks);
    scalings = List.copyOf(scalings);
    if (ranks.isEmpty() || scalings.size() != ranks.size()) {
      throw new UserException(
          String.format(
              "Cannot put %d experts with %d scalings on %s",
              ranks.size(), scalings.size(), module));
    }
    for (int rank : ranks) {
      if (rank < 1) {
        throw new UserException(
            String.format(
                "Cannot put an expert of rank %d on %s: must be at least 1", rank, module));
      }
    }
    if (topK < 1) {
      throw new UserException(
          String.format(
              "Cannot route to the top %d experts of %s: must be at least 1", topK, module));
    }
  }

  /** Experts of the given ranks, each scaled by {@code alpha / r_e}. */
  public static ModuleExperts of(LinearModule module, List<Integer> ranks, double alpha, int topK) {
    return new ModuleExperts(
        module, ranks, ranks.stream().map(rank -> alpha / rank).toList(), topK);
  }

  /** The same rank everywhere. */
  public static ModuleExperts uniform(
      LinearModule module, int experts, int rank, double alpha, int topK) {
    return of(module, Collections.nCopies(experts, rank), alpha, topK);
  }

  public int experts() {
    return ranks.size();
  }

  /** {@code R = Σ r_e}. */
  public int totalRank() {
    return ranks.stream().mapToInt(Integer::intValue).sum();
  }

  /** Experts a token is really routed to: never more than there are. */
  public int routed() {
    return Math.min(topK, experts());
  }

  /** First column of each expert in the stacked form, and the end: {@code [experts + 1]}. */
  int[] firstColumns() {
    int[] first = new int[experts() + 1];
    for (int e = 0; e < experts(); e++) {
      first[e + 1] = first[e] + ranks.get(e);
    }
    return first;
  }
}
