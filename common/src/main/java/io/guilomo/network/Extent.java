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
}
