package io.guilomo.kernel.vector;

/** A matrix of fewer than 32 bits an element, which can be read as 32-bit floats. */
interface Widened {

  /**
   * Copies a part, starting at a row and a column, as 32-bit floats.
   *
   * @param target as large as the part
   */
  void widen(int row, int column, VectorMemory target, boolean accumulate);
}
