package io.guilomo.network;

import io.guilomo.model.LinearModule;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Where the tokens of a network's recorded passes went, and how undecided its routers were. */
final class RoutingRecord {

  private final Map<LinearModule, long[]> routedTokens = new LinkedHashMap<>();
  private final Map<LinearModule, Double> routerEntropy = new LinkedHashMap<>();

  /** Adds what the routers did in a pass. */
  void add(LoadBalance balance) {
    balance
        .routing()
        .forEach(
            (module, statistics) -> {
              long[] counts =
                  routedTokens.computeIfAbsent(module, m -> new long[statistics.counts().length]);
              for (int e = 0; e < counts.length; e++) {
                counts[e] += statistics.counts()[e];
              }
            });
  }

  /**
   * Sets how undecided they were.
   *
   * @param replicas that ran the pass
   * @param tokens of its batch
   */
  void entropies(List<Measurements> replicas, int tokens) {
    List<Map<LinearModule, Double>> each = replicas.stream().map(Measurements::entropies).toList();
    for (LinearModule module : each.get(0).keySet()) {
      double sum = each.stream().mapToDouble(entropies -> entropies.get(module)).sum();
      routerEntropy.put(module, sum / tokens);
    }
  }

  /** (token, slot) pairs that each expert got. */
  Map<LinearModule, long[]> routedTokens() {
    return routedTokens;
  }

  /** Of the last pass, mean over its tokens, in nats; only in the fine-tuning stage. */
  Map<LinearModule, Double> routerEntropy() {
    return routerEntropy;
  }
}
