package io.guilomo.kernel.vector;

import io.guilomo.kernel.KernelThreads;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.bytedeco.javacpp.ShortPointer;

/**
 * Matmuls with a matrix of 16-bit floats. Where bfloat16 is multiplied and activations may be
 * rounded to it, they are rounded once for the whole product. Elsewhere a tile of the matrix at a
 * time is widened to 32 bits, which no activation notices; that takes as long as two products of
 * bfloat16 do, with which activations split into two parts would be multiplied less exactly.
 */
final class NarrowProducts {

  /** Elements of a tile, which should stay in the cache of one core. */
  private static final int TILE = 1 << 19;

  private static final int LEAST_COLUMNS = 64;
  private static final int MOST_COLUMNS = 512;
  private static final int BLOCK = 16;

  private static final ThreadLocal<NarrowProducts> OF_THREAD =
      ThreadLocal.withInitial(NarrowProducts::new);

  private ShortPointer rounded = new ShortPointer(1);

  private NarrowProducts() {}

  /**
   * {@code c = a' · b'} or {@code c += a' · b'}, where a prime means transposed if so flagged.
   *
   * @param exact whether activations must not be rounded
   */
  static void product(
      VectorMemory a,
      boolean transposeA,
      NarrowMemory b,
      boolean transposeB,
      VectorMemory c,
      boolean accumulate,
      boolean exact) {
    Bfloat16Products library = Blas.bfloat16();
    if (exact || transposeA || library == null || !b.bfloat16()) {
      widened(a, transposeA, b, transposeB, c, accumulate);
    } else {
      OF_THREAD.get().rounded(library, a, b, transposeB, c, accumulate);
    }
  }

  private void rounded(
      Bfloat16Products library,
      VectorMemory a,
      NarrowMemory b,
      boolean transposeB,
      VectorMemory c,
      boolean accumulate) {
    long from = rounded(a);
    int inner = a.columns;
    boolean byColumns = c.columns > c.rows;
    int count = byColumns ? c.columns : c.rows;
    KernelThreads.run(
        count,
        VectorProducts.rangeOf(count, 2.0 * c.rows * c.columns * inner),
        (begin, end) -> {
          int row = byColumns ? 0 : begin;
          int column = byColumns ? begin : 0;
          library.product(
              transposeB,
              byColumns ? c.rows : end - begin,
              byColumns ? end - begin : c.columns,
              inner,
              from + (long) row * inner * Short.BYTES,
              inner,
              transposeB ? b.addressOf(column, 0) : b.addressOf(0, column),
              b.stride,
              accumulate,
              c.addressOf(row, column),
              c.stride);
        });
    Reference.reachabilityFence(b);
  }

  /** The address of the elements of a matrix as bfloat16, row by row. */
  private long rounded(VectorMemory a) {
    long length = (long) a.rows * a.columns;
    if (rounded.capacity() < length) {
      rounded.close();
      rounded = new ShortPointer(length);
    }
    long address = rounded.address();
    KernelThreads.run(
        a.rows,
        VectorRows.rowsOfRange(a.columns),
        (from, to) -> {
          VectorMemory rows = a.rows(from, to);
          long bytes = (long) a.columns * Short.BYTES;
          ByteBuffer target =
              VectorMemory.buffer(address + from * bytes, (to - from) * bytes)
                  .order(ByteOrder.nativeOrder());
          for (int i = 0; i < rows.rows; i++) {
            NarrowMemory.round(rows, i, target, (int) (i * bytes));
          }
        });
    return address;
  }

  /** As {@link #product}, never rounding activations. */
  static void widened(
      VectorMemory a,
      boolean transposeA,
      Widened b,
      boolean transposeB,
      VectorMemory c,
      boolean accumulate) {
    int inner = transposeA ? a.rows : a.columns;
    int range = VectorProducts.rangeOf(c.columns, 2.0 * c.rows * c.columns * inner);
    KernelThreads.run(
        c.columns,
        Math.min(range, columnsOfTile(inner)),
        (from, to) -> {
          Blas blas = Blas.ofThread();
          VectorMemory tile =
              transposeB ? blas.scratch(to - from, inner) : blas.scratch(inner, to - from);
          b.widen(transposeB ? from : 0, transposeB ? 0 : from, tile, false);
          blas.product(
              transposeA,
              transposeB,
              c.rows,
              to - from,
              inner,
              1,
              a.address,
              a.stride,
              tile.address,
              tile.stride,
              accumulate ? 1 : 0,
              c.addressOf(0, from),
              c.stride);
        });
  }

  private static int columnsOfTile(int inner) {
    int columns = TILE / inner / BLOCK * BLOCK;
    return Math.max(LEAST_COLUMNS, Math.min(MOST_COLUMNS, columns));
  }
}
