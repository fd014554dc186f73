package io.guilomo.model;

import java.io.Serializable;

/**
 * What the experts of all modules have in common.
 *
 * @param routing how tokens are routed to them
 * @param sharing what those of a module share
 * @param scaling of an expert's output by its rank
 */
public record ExpertForm(RoutingMethod routing, Sharing sharing, Scaling scaling)
    implements Serializable {

  /** The form of experts that share nothing. */
  public ExpertForm(RoutingMethod routing, Scaling scaling) {
    this(routing, Sharing.NONE, scaling);
  }
}
