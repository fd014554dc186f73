package io.guilomo.network;

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
  /** A row per pair of tokens of the same sequence. */
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
   * @param pairs of tokens of the same sequence: {@code Σ n²} over sequences of {@code n} tokens
   */
  public record PassShape(long tokens, long sequences, long labels, long pairs) {

    /** Sequences of one length whose every token is a label. */
    static PassShape uniform(long sequences, long length) {
      return new PassShape(
          sequences * length, sequences, sequences * (length - 1), sequences * length * length);
    }
  }
}
