package io.guilomo.model;

import java.util.Collections;
import java.util.List;

/** Whether the experts of a module have an {@code A} each, or one together. */
public enum Sharing {
  /** Each expert has its own. Dropout is on the module's input. */
  NONE,

  /**
   * All experts of a module have one {@code A} (MoSLD, arXiv 2412.08946): of as many rows as the
   * largest rank, the first {@code r} of which an expert of rank {@code r} uses. Each has its own
   * {@code B}. Dropout is on {@code A x}. Routed densely, it is HydraLoRA (arXiv 2404.19245).
   */
  SHARED_A;

  /** Rows of the {@code A} of a module whose experts have these ranks. */
  public int rowsOfA(List<Integer> ranks) {
    return this == NONE ? sum(ranks) : Collections.max(ranks);
  }

  /**
   * Trainable parameters of a module whose experts have these ranks, {@code G} included: {@code
   * rowsOfA · in + Σ_e r_e · out + E · in}.
   */
  public long parameters(LinearModule module, List<Integer> ranks) {
    long in = module.inFeatures();
    return (rowsOfA(ranks) + (long) ranks.size()) * in + (long) sum(ranks) * module.outFeatures();
  }

  private static int sum(List<Integer> ranks) {
    return ranks.stream().mapToInt(Integer::intValue).sum();
  }

  @Override
  public String toString() {
    return ConstantName.of(this);
  }
}
