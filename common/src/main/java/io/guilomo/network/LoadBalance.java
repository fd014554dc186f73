package io.guilomo.network;

import io.guilomo.model.LinearModule;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The load-balancing loss of one pass, {@code E · Σ_e f_e P_e} for each module (arXiv 2101.03961,
 * eq. 4–6), where {@code f_e} is the share of (token, slot) pairs that went to an expert and {@code
 * P_e} the mean of its probabilities, both over the whole batch.
 */
final class LoadBalance {

  private final Map<LinearModule, RoutingStatistics> routing = new LinkedHashMap<>();
  private final Map<LinearModule, float[]> gradients = new HashMap<>();
  private double loss;

  private LoadBalance() {}

  /**
   * @param replicas what the routers did in each
   * @param tokens of the whole batch
   * @param coefficient of the loss in what is differentiated
   */
  static LoadBalance of(
      List<Map<LinearModule, RoutingStatistics>> replicas, int tokens, double coefficient) {
    LoadBalance balance = new LoadBalance();
    for (LinearModule module : replicas.get(0).keySet()) {
      RoutingStatistics all =
          replicas.stream()
              .map(replica -> replica.get(module))
              .reduce(RoutingStatistics::plus)
              .orElseThrow();
      balance.routing.put(module, all);
      balance.add(module, all, tokens, coefficient);
    }
    return balance;
  }

  private void add(
      LinearModule module, RoutingStatistics statistics, int tokens, double coefficient) {
    int experts = statistics.counts().length;
    long slots = 0;
    for (long count : statistics.counts()) {
      slots += count;
    }
    float[] gradient = new float[experts];
    for (int e = 0; e < experts; e++) {
      double share = (double) statistics.counts()[e] / slots;
      loss += experts * share * statistics.probabilitySums()[e] / tokens;
      gradient[e] = (float) (coefficient * experts * share / tokens);
    }
    gradients.put(module, gradient);
  }

  /** What the routers did with the whole batch. */
  Map<LinearModule, RoutingStatistics> routing() {
    return routing;
  }

  /** Summed over the modules, without its coefficient. */
  double loss() {
    return loss;
  }

  /** By the probabilities of each token, times the coefficient: {@code [experts]}. */
  float[] gradient(LinearModule module) {
    return gradients.get(module);
  }
}
