package io.guilomo.config;

import io.guilomo.model.RoutingMethod;
import java.util.List;

/**
 * The experts; {@code guilomo.lora-moe}.
 *
 * @param targetModules empty: all linear modules
 * @param loadBalance weight of the load-balancing loss
 */
public record LoraMoeConfig(
    List<String> targetModules,
    int maxExperts,
    int maxRank,
    RoutingMethod routing,
    double alpha,
    double dropout,
    double loadBalance) {

  static LoraMoeConfig of(ConfigSection section) {
    LoraMoeConfig config =
        new LoraMoeConfig(
            section.texts("target-modules"),
            section.whole("max-experts", 1),
            section.whole("max-rank", 1),
            new RoutingMethod(section.text("routing"), section.whole("top-k", 1)),
            section.positive("alpha"),
            section.fraction("dropout"),
            section.number("load-balance", 0.0));
    if (config.routing.topK() > config.maxExperts) {
      throw section.refuse("top-k", "must be at most max-experts, " + config.maxExperts);
    }
    return config;
  }
}
