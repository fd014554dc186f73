package io.guilomo.config;

import io.guilomo.model.ConstantName;

/** What the backward pass of a training computes again instead of finding it in memory. */
public enum Recompute {
  /** Nothing: all layers keep what their backward pass reads. */
  NONE,
  /**
   * Blocks of a transformer, one after the other, from their inputs (arXiv 1604.06174). The results
   * have the same bits.
   */
  BLOCKS;

  @Override
  public String toString() {
    return ConstantName.of(this);
  }
}
