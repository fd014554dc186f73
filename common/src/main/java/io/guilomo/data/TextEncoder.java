package io.guilomo.data;

import java.util.OptionalInt;

/** Converts text to token ids. Implementations never truncate, and are thread-safe. */
public interface TextEncoder {

  /** Token ids, including the special tokens that the tokenizer adds to a single text. */
  int[] encode(String text);

  /** Token ids without special tokens. */
  int[] encodeBare(String text);

  OptionalInt bos();

  OptionalInt eos();

  /** The first token of a sequence, which classifiers read. */
  OptionalInt cls();

  /** The token that ends each part of a pair. */
  OptionalInt sep();
}
