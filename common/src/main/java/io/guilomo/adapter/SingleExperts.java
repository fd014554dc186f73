package io.guilomo.adapter;

import io.guilomo.model.ModuleExperts;
import io.guilomo.model.RoutingMethod;
import io.guilomo.model.UserException;
import io.guilomo.plan.AllocationPlan;

/**
 * Plans whose modules have one expert each: plain LoRAs (arXiv 2106.09685). Top-k routing gives the
 * only expert of a module the weight {@code p / p = 1} for every token, whatever top-k and the
 * router's parameters are: the softmax of a single logit, renormalised. So {@code y = x (W + s B
 * A)ᵀ}.
 */
final class SingleExperts {

  private SingleExperts() {}

  /**
   * @param intent what cannot be done with other plans
   * @throws UserException if a module has several experts, or a router that may weigh the only one
   *     otherwise
   */
  static void require(AllocationPlan plan, String intent) {
    for (ModuleExperts module : plan.moduleExperts()) {
      if (module.experts() > 1) {
        throw new UserException(
            "Cannot %s: %s has %d experts, and there is room for one; allocate with"
                + " lora-moe.max-experts=1 and lora-moe.top-k=1, or load the adapter with"
                + " deploy/python",
            intent, module.module(), module.experts());
      }
    }
    String router = plan.routing().router();
    if (!router.equals(RoutingMethod.TOP_K)) {
      throw new UserException(
          "Cannot %s: its routing is %s, and only %s always gives a single expert the weight 1;"
              + " load the adapter with deploy/python",
          intent, router, RoutingMethod.TOP_K);
    }
  }
}
