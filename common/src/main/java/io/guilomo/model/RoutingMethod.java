package io.guilomo.model;

import java.io.Serializable;

/**
 * How tokens are routed to the experts of a module. Routers are known by name here; the network has
 * the implementations.
 *
 * @param router name of the router, for instance {@link #TOP_K}
 * @param topK experts a token uses: exactly, or on average where the router lets the number vary
 */
public record RoutingMethod(String router, int topK) implements Serializable {

  /** The router that sends every token to the same number of experts. */
  public static final String TOP_K = "top-k";

  public RoutingMethod {
    if (topK < 1) {
      throw new UserException("Cannot route a token to %d experts: minimum is 1", topK);
    }
  }

  /** Every token to its {@code topK} experts of the largest probability. */
  public static RoutingMethod topK(int topK) {
    return new RoutingMethod(TOP_K, topK);
  }

  /** Experts that a token uses in a module of {@code experts}: never more than there are. */
  public int used(int experts) {
    return Math.min(topK, experts);
  }
}
