package io.guilomo.network;

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
