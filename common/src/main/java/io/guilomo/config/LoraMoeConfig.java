package io.guilomo.config;

import io.guilomo.model.ExpertForm;
import io.guilomo.model.RoutingMethod;
import io.guilomo.model.Scaling;
import io.guilomo.model.Sharing;
import java.util.List;

/**
 * The experts; {@code guilomo.lora-moe}.
 *
 * @param targetModules empty: all linear modules
 * @param form of all of them
 * @param loadBalance weight of the routers' own loss
 */
public record LoraMoeConfig(
    List<String> targetModules,
    int maxExperts,
    int maxRank,
    ExpertForm form,
    double dropout,
    double loadBalance) {

  static LoraMoeConfig of(ConfigSection section) {
    LoraMoeConfig config =
        new LoraMoeConfig(
            section.texts("target-modules"),
            section.whole("max-experts", 1),
            section.whole("max-rank", 1),
            new ExpertForm(
                new RoutingMethod(section.text("routing"), section.whole("top-k", 1)),
                section.oneOf("sharing", Sharing.class),
                new Scaling(
                    section.oneOf("scaling", Scaling.Rule.class), section.positive("alpha"))),
            section.fraction("dropout"),
            section.number("load-balance", 0.0));
    RoutingMethod routing = config.form.routing();
    if (!RoutingMethod.NAMES.contains(routing.router())) {
      throw section.refuse("routing", "must be one of " + RoutingMethod.NAMES);
    }
    if (routing.topK() > config.maxExperts) {
      throw section.refuse("top-k", "must be at most max-experts, " + config.maxExperts);
    }
    return config;
  }
}
