package io.guilomo.data;

import java.util.OptionalInt;
import java.util.Set;

/** Converts text to token ids. Implementations never truncate, and are thread-safe. */
public interface TextEncoder {

  /** Token ids, including the special tokens that the tokenizer adds to a single text. */
  int[] encode(String text);

  /** Token ids without special tokens. */
  int[] encodeBare(String text);

  OptionalInt bos();

  OptionalInt eos();

  /** Tokens that end what a model says: {@link #eos} and others that its files name. */
  default Set<Integer> stopTokens() {
    return eos().isPresent() ? Set.of(eos().getAsInt()) : Set.of();
  }

  /**
   * The special tokens around one text, or around and between two.
   *
   * @param pair whether there are two
   */
  Frame frame(boolean pair);

  /** The special tokens as they stand in a text, such as the one that ends a turn. */
  default Set<String> controlTokens() {
    return Set.of();
  }
}
