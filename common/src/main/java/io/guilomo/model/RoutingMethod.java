package io.guilomo.model;

import java.io.Serializable;
import java.util.List;

/**
 * How tokens are routed to the experts of a module. Routers are known by name here; the network has
 * the implementations.
 *
 * @param router name of the router, for instance {@link #TOP_K}
 * @param topK experts per token; ignored by {@link #DENSE}, a target for {@link #SPARSEGEN}
 */
public record RoutingMethod(String router, int topK) implements Serializable {

  /** The router that sends every token to the same number of experts. */
  public static final String TOP_K = "top-k";

  /** The router that sends every token to all experts (HydraLoRA, arXiv 2404.19245). */
  public static final String DENSE = "dense";

  /** The router that learns how many experts each token needs (LD-MoLE, arXiv 2509.25684). */
  public static final String SPARSEGEN = "sparsegen";

  /** Names of all routers. */
  public static final List<String> NAMES = List.of(TOP_K, DENSE, SPARSEGEN);

  public RoutingMethod {
    if (topK < 1) {
      throw new UserException("Cannot route a token to %d experts: minimum is 1", topK);
    }
  }

  /** Every token to its {@code topK} experts of the largest probability. */
  public static RoutingMethod topK(int topK) {
    return new RoutingMethod(TOP_K, topK);
  }

  /**
   * Experts that a token uses in a module of {@code experts}, never more than there are; where the
   * router lets the number vary, how many it aims at.
   */
  public int used(int experts) {
    return router.equals(DENSE) ? experts : Math.min(topK, experts);
  }
}
