package io.guilomo.network;

import io.guilomo.kernel.AttentionKernels;

/** What the number of rows of a working array follows. */
public enum Extent {
  /** One row, whatever the batch. */
  FIXED {
    @Override
    long rows(PassShape shape) {
      return 1;
    }
  },
  /** A row per token. */
  TOKENS {
    @Override
    long rows(PassShape shape) {
      return shape.tokens();
    }
  },
  /** A row per sequence. */
  SEQUENCES {
    @Override
    long rows(PassShape shape) {
      return shape.sequences();
    }
  },
  /** A row per token whose successor is a label. */
  LABELS {
    @Override
    long rows(PassShape shape) {
      return shape.labels();
    }
  },
  /** A row per pair of tokens of the same sequence, where attention keeps something for each. */
  PAIRS {
    @Override
    long rows(PassShape shape) {
      return shape.pairs();
    }
  };

  abstract long rows(PassShape shape);

  /**
   * The sizes of a batch that working arrays follow.
   *
   * @param labels tokens whose successor is a label
   * @param pairs of tokens of the same sequence: {@code Σ n²} over sequences of {@code n} tokens,
   *     of which no more count than attention keeps something for
   */
  public record PassShape(long tokens, long sequences, long labels, long pairs) {

    /**
     * Sequences of one length whose every token is a label. Attention keeps nothing for pairs of
     * long ones, but shorter ones may take their place.
     */
    static PassShape uniform(long sequences, long length) {
      long kept = Math.min(length, AttentionKernels.LONGEST_KEPT);
      return new PassShape(
          sequences * length, sequences, sequences * (length - 1), sequences * kept * kept);
    }
  }
}
