package io.guilomo.config;

import io.guilomo.model.RoutingMethod;
import io.guilomo.model.Scaling;
import java.util.List;

/**
 * The experts; {@code guilomo.lora-moe}.
 *
 * @param targetModules empty: all linear modules
 * @param scaling of an expert by its rank
 * @param loadBalance weight of the routers' own loss
 */
public record LoraMoeConfig(
    List<String> targetModules,
    int maxExperts,
    int maxRank,
    RoutingMethod routing,
    Scaling scaling,
    double dropout,
    double loadBalance) {

  static LoraMoeConfig of(ConfigSection section) {
    LoraMoeConfig config =
        new LoraMoeConfig(
            section.texts("target-modules"),
            section.whole("max-experts", 1),
            section.whole("max-rank", 1),
            new RoutingMethod(section.text("routing"), section.whole("top-k", 1)),
            new Scaling(section.oneOf("scaling", Scaling.Rule.class), section.positive("alpha")),
            section.fraction("dropout"),
            section.number("load-balance", 0.0));
    if (!RoutingMethod.NAMES.contains(config.routing.router())) {
      throw section.refuse("routing", "must be one of " + RoutingMethod.NAMES);
    }
    if (config.routing.topK() > config.maxExperts) {
      throw section.refuse("top-k", "must be at most max-experts, " + config.maxExperts);
    }
    return config;
  }
}
