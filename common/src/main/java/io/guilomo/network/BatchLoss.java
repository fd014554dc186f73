package io.guilomo.network;

import io.guilomo.model.LinearModule;

/**
 * The part of a pass's loss that depends on statistics of the whole batch, such as load balance:
 * the sum of its {@link Term}s.
 */
public final class BatchLoss {

  /**
   * One term. Its owner measures statistics in the forward pass of each replica; between the
   * forward and the backward pass they are added up on the host, and the gradient that follows from
   * the sum goes back to every replica. All terms of a replica share one read from the device and
   * one write to it.
   */
  public interface Term {

    /** Statistics that the term measures in a pass: doubles, whose sums over replicas count. */
    int statistics();

    /** Floats that go back for the backward pass. */
    int gradients();

    /**
     * Adds the term to the loss and reports what the routers did.
     *
     * @param statistics of the whole batch, {@code [statistics()]}
     * @param gradient result, {@code [gradients()]}: of the loss times its coefficient
     */
    void evaluate(double[] statistics, BatchLoss loss, float[] gradient);
  }

  private final int tokens;
  private final double coefficient;
  private final RoutingRecord record;
  private double value;

  /**
   * @param tokens of the whole batch
   * @param coefficient of this loss in what is differentiated
   * @param record where the routers' choices are counted; null where they are not
   */
  public BatchLoss(int tokens, double coefficient, RoutingRecord record) {
    this.tokens = tokens;
    this.coefficient = coefficient;
    this.record = record;
  }

  /** Tokens of the whole batch. */
  public int tokens() {
    return tokens;
  }

  /** Factor of this loss in the sum that is differentiated. */
  public double coefficient() {
    return coefficient;
  }

  /** Adds to the loss, without its coefficient. */
  public void add(double summand) {
    value += summand;
  }

  /** Sum over the terms, without its coefficient. */
  public double value() {
    return value;
  }

  /**
   * Counts choices of a module's router, if the pass records them.
   *
   * @param counts (token, slot) pairs that went to each expert, {@code [experts]}
   */
  public void routed(LinearModule module, long[] counts) {
    if (record != null) {
      record.routed(module, counts);
    }
  }

  /**
   * Notes how undecided a module's router was, if the pass records it.
   *
   * @param entropy of its probabilities, mean over the tokens, in nats
   */
  public void undecided(LinearModule module, double entropy) {
    if (record != null) {
      record.undecided(module, entropy);
    }
  }
}
