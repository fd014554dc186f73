package io.guilomo.network;

/** What a LoRA-MoE network is trained for. */
public enum Stage {
  /** All candidate experts, with the diagonal λ and the masks of the GSVs (arXiv 2506.14646). */
  SEARCH,
  /**
   * All candidate experts, which start and train as in {@link #FINE_TUNING}; what they are worth is
   * measured by the gradients of the masks, all of which are full.
   */
  MEASURING,
  /** The allocated experts, without λ and masks. */
  FINE_TUNING
}
