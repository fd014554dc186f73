package io.guilomo.network;

import io.guilomo.data.TokenBatch;

/** How much attention keeps for its backward pass. */
final class AttentionSizes {

  private AttentionSizes() {}

  /** {@code Σ heads · n_i²} over the sequences. */
  static long probabilities(TokenBatch batch, int heads) {
    long size = 0;
    for (int i = 0; i < batch.sequences(); i++) {
      size += (long) heads * batch.length(i) * batch.length(i);
    }
    return size;
  }
}
