package io.guilomo.sizing;

/**
 * A batch whose sequences are all of one length.
 *
 * @param length tokens of each
 */
public record BatchShape(int sequences, int length) {

  /** The smallest there is: what fits no such batch fits none. */
  public static final BatchShape LEAST = new BatchShape(1, 1);

  @Override
  public String toString() {
    return sequences + " × " + length + " tokens";
  }
}
