package io.guilomo.data;

/** Converts token ids to text. Implementations are thread-safe. */
public interface TextDecoder {

  /**
   * @param special whether to include special tokens, such as the end of the sequence
   */
  String decode(int[] tokens, boolean special);
}
