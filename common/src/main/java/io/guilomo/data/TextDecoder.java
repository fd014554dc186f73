package io.guilomo.data;

/** Token ids to text. Implementations may be called by several threads at once. */
public interface TextDecoder {

  /**
   * @param special whether special tokens, such as the end of the sequence, are written too
   */
  String decode(int[] tokens, boolean special);
}
