package io.guilomo.network;

import io.guilomo.model.LinearModule;
import java.util.LinkedHashMap;
import java.util.Map;

/** Where the tokens of a network's recorded passes went, and how undecided its routers were. */
final class RoutingRecord {

  private final Map<LinearModule, long[]> routedTokens = new LinkedHashMap<>();
  private final Map<LinearModule, Double> routerEntropy = new LinkedHashMap<>();

  void routed(LinearModule module, long[] counts) {
    long[] sums = routedTokens.computeIfAbsent(module, m -> new long[counts.length]);
    for (int e = 0; e < counts.length; e++) {
      sums[e] += counts[e];
    }
  }

  void undecided(LinearModule module, double entropy) {
    routerEntropy.put(module, entropy);
  }

  /** (token, slot) pairs that each expert got. */
  Map<LinearModule, long[]> routedTokens() {
    return routedTokens;
  }

  /**
   * Entropy of the routers' probabilities in the last pass, mean over its tokens, in nats; only in
   * the fine-tuning stage.
   */
  Map<LinearModule, Double> routerEntropy() {
    return routerEntropy;
  }
}
