package io.guilomo.plan;

import io.guilomo.model.UserException;

/**
 * The allocation of one expert.
 *
 * @param rank of its {@code A} and {@code B}, at least 1
 * @param routedTokens (token, slot) pairs that the router sent to it while the plan was learned; 0
 *     if none were counted
 */
public record ExpertPlan(int rank, long routedTokens) {

  public ExpertPlan {
    if (rank < 1) {
      throw new UserException("Cannot allocate rank " + rank + ": minimum is 1");
    }
    if (routedTokens < 0) {
      throw new UserException("Cannot record " + routedTokens + " routed tokens: minimum is 0");
    }
  }

  /** An expert of this rank without counted tokens. */
  public static ExpertPlan ofRank(int rank) {
    return new ExpertPlan(rank, 0);
  }
}
