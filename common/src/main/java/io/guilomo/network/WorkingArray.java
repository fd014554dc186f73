package io.guilomo.network;

import io.guilomo.network.Extent.PassShape;

/**
 * A working array of a part, as {@link ArrayDeclarations} declares it: {@code [rows, columns]}, or
 * a vector of that many elements.
 *
 * @param name in passes with a backward pass
 * @param forwardName in passes without one, where what is kept for none is overwritten by the next
 *     layer
 * @param columns {@link #VECTOR} of a vector
 * @param mostRows that are asked for in one call
 */
public record WorkingArray(
    String name, String forwardName, Extent extent, long columns, long mostRows) {

  public static final long VECTOR = -1;

  /** Elements for a batch. */
  public long elements(PassShape shape) {
    long rows = Math.min(mostRows, extent.rows(shape));
    return Math.max(1, columns == VECTOR ? rows : rows * columns);
  }
}
