package io.guilomo.network;

/** What a LoRA-MoE network is trained for. */
public enum Stage {
  /** All candidate experts, with the diagonal λ and the masks of the GSVs (arXiv 2506.14646). */
  SEARCH,
  /** The allocated experts, without λ and masks. */
  FINE_TUNING
}
