package io.guilomo.kernel.vector;

import io.guilomo.kernel.KernelThreads;

/**
 * Matmuls, cut into ranges of rows or columns of the result that are distributed to the kernels'
 * threads like those of any other operation. The linear algebra library uses one thread per range:
 * its own threads would spin on processors that the kernels' threads need. Where ranges have the
 * same bits as the whole, a single thread computes the whole in one call.
 */
class VectorProducts {

  /** Rows or columns per range: enough for the library to run as fast as on the whole. */
  private static final int RANGE = 512;

  /** Floating-point operations above which a matmul is worth two threads. */
  private static final double SHARED = 2e6;

  /** Ranges start at block boundaries of the library. */
  private static final int BLOCK = 16;

  /**
   * Columns below which a result is computed as its transpose: MKL is 2 to 5 times as fast with few
   * long rows as with many short ones.
   */
  private static final int NARROW = 16;

  private VectorProducts() {}

  /** {@code c = a' · b'} or {@code c += a' · b'}, where a prime means transposed if so flagged. */
  static void product(
      VectorMemory a,
      boolean transposeA,
      VectorMemory b,
      boolean transposeB,
      VectorMemory c,
      boolean accumulate) {
    int inner = transposeA ? a.rows : a.columns;
    if (c.columns < NARROW && c.columns < c.rows) {
      KernelThreads.run(
          c.rows,
          rangeOf(c.rows, 2.0 * c.rows * c.columns * inner),
          (from, to) -> narrow(a, transposeA, b, transposeB, c.rows(from, to), from, accumulate));
      return;
    }
    boolean byColumns = c.columns > c.rows;
    int count = byColumns ? c.columns : c.rows;
    boolean whole =
        KernelThreads.available() == 1
            && Blas.library().strict()
            && (!byColumns || count % BLOCK == 0);
    KernelThreads.run(
        count,
        whole ? count : rangeOf(count, 2.0 * c.rows * c.columns * inner),
        (from, to) -> {
          int row = byColumns ? 0 : from;
          int column = byColumns ? from : 0;
          Blas.ofThread()
              .product(
                  transposeA,
                  transposeB,
                  byColumns ? c.rows : to - from,
                  byColumns ? to - from : c.columns,
                  inner,
                  1,
                  transposeA ? a.addressOf(0, row) : a.addressOf(row, 0),
                  a.stride,
                  transposeB ? b.addressOf(column, 0) : b.addressOf(0, column),
                  b.stride,
                  accumulate ? 1 : 0,
                  c.addressOf(row, column),
                  c.stride);
        });
  }

  /**
   * Rows of a matmul.
   *
   * @param c the rows of the result
   * @param first the index of the first of them
   */
  private static void narrow(
      VectorMemory a,
      boolean transposeA,
      VectorMemory b,
      boolean transposeB,
      VectorMemory c,
      int first,
      boolean accumulate) {
    Blas blas = Blas.ofThread();
    VectorMemory transposed = blas.scratch(c.columns, c.rows);
    blas.product(
        !transposeB,
        !transposeA,
        c.columns,
        c.rows,
        transposeA ? a.rows : a.columns,
        1,
        b.address,
        b.stride,
        transposeA ? a.addressOf(0, first) : a.addressOf(first, 0),
        a.stride,
        0,
        transposed.address,
        transposed.stride);
    for (int row = 0; row < c.rows; row++) {
      for (int column = 0; column < c.columns; column++) {
        int at = c.at(row, column);
        float value = transposed.get(transposed.at(column, row));
        c.put(at, accumulate ? c.get(at) + value : value);
      }
    }
  }

  /** Depends on the size of the product alone. */
  static int rangeOf(int count, double operations) {
    if (operations < SHARED) {
      return count;
    }
    // An even number, so that two threads finish together.
    int ranges = 2 * ((count + 2 * RANGE - 1) / (2 * RANGE));
    int size = (count + ranges - 1) / ranges;
    return (size + BLOCK - 1) / BLOCK * BLOCK;
  }
}
