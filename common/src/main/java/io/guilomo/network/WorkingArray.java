package io.guilomo.network;

import io.guilomo.config.Recompute;
import io.guilomo.network.Extent.PassShape;

/**
 * A working array of a part, as {@link ArrayDeclarations} declares it: {@code [rows, columns]}, or
 * a vector of that many elements.
 *
 * @param name in passes with a backward pass
 * @param forwardName in passes without one, where what is kept for none is overwritten by the next
 *     layer
 * @param blockName in all passes where blocks are computed again: what they do not keep is
 *     overwritten by the next block
 * @param columns {@link #VECTOR} of a vector
 * @param mostRows that are asked for in one call
 */
public record WorkingArray(
    String name, String forwardName, String blockName, Extent extent, long columns, long mostRows) {

  public static final long VECTOR = -1;

  /**
   * Its name in a pass; arrays of one name are one.
   *
   * @param forward whether no backward pass follows
   */
  String name(Recompute recompute, boolean forward) {
    if (recompute == Recompute.BLOCKS) {
      return blockName;
    }
    return forward ? forwardName : name;
  }

  /** Elements for a batch. */
  public long elements(PassShape shape) {
    long rows = Math.min(mostRows, extent.rows(shape));
    return Math.max(1, columns == VECTOR ? rows : rows * columns);
  }
}
