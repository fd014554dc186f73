package io.guilomo.data;

import java.util.OptionalInt;

/**
 * Text to token ids. Implementations never truncate, and may be called by several threads at once.
 */
public interface TextEncoder {

  /** Token ids with the special tokens that the tokenizer adds to a single text. */
  int[] encode(String text);

  /** Token ids without special tokens. */
  int[] encodeBare(String text);

  OptionalInt bos();

  OptionalInt eos();

  /** The token that classifiers read, first in a sequence. */
  OptionalInt cls();

  /** The token that ends each part of a pair. */
  OptionalInt sep();
}
