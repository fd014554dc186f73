package io.guilomo.network;

import io.guilomo.backbone.LinearModule;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Where the tokens of a network's recorded passes went, and how undecided its routers were. */
final class RoutingRecord {

  private final Map<LinearModule, long[]> routedTokens = new LinkedHashMap<>();
  private final Map<LinearModule, Double> routerEntropy = new LinkedHashMap<>();

  /**
   * Adds a pass.
   *
   * @param replicas that ran it
   * @param tokens of its batch
   */
  void add(LoadBalance balance, List<Replica> replicas, int tokens) {
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
    for (LinearModule module : replicas.get(0).context().entropies().keySet()) {
      double sum =
          replicas.stream().mapToDouble(replica -> replica.context().entropies().get(module)).sum();
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
