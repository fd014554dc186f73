package io.guilomo.kernel.vector;

import io.guilomo.kernel.KernelThreads;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import org.bytedeco.javacpp.ShortPointer;

/**
 * Matmuls with a matrix of 16-bit floats. Where the processor multiplies bfloat16, activations are
 * rounded to it, or split into two parts whose sum is within 2⁻¹⁷ of them, once for the whole
 * product. Elsewhere a tile of the matrix at a time is widened to 32 bits.
 */
final class NarrowProducts {

  /** Elements of a tile, which should stay in the cache of one core. */
  private static final int TILE = 1 << 19;

  private static final int LEAST_COLUMNS = 64;
  private static final int MOST_COLUMNS = 512;
  private static final int BLOCK = 16;

  /** Parts of an activation that must not be rounded: what they leave out is below 2⁻¹⁷ of it. */
  private static final int PARTS = 2;

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
    if (transposeA || library == null || !b.bfloat16()) {
      widened(a, transposeA, b, transposeB, c, accumulate);
    } else {
      OF_THREAD.get().product(library, a, exact ? PARTS : 1, b, transposeB, c, accumulate);
    }
  }

  private void product(
      Bfloat16Products library,
      VectorMemory a,
      int parts,
      NarrowMemory b,
      boolean transposeB,
      VectorMemory c,
      boolean accumulate) {
    long from = narrow(a, parts);
    int inner = a.columns;
    long part = (long) a.rows * inner * Short.BYTES;
    boolean byColumns = c.columns > c.rows;
    int count = byColumns ? c.columns : c.rows;
    KernelThreads.run(
        count,
        VectorProducts.rangeOf(count, 2.0 * c.rows * c.columns * inner),
        (begin, end) -> {
          int row = byColumns ? 0 : begin;
          int column = byColumns ? begin : 0;
          // The smallest first, whose sum the others would otherwise swallow.
          for (int p = parts - 1; p >= 0; p--) {
            library.product(
                transposeB,
                byColumns ? c.rows : end - begin,
                byColumns ? end - begin : c.columns,
                inner,
                from + p * part + (long) row * inner * Short.BYTES,
                inner,
                transposeB ? b.addressOf(column, 0) : b.addressOf(0, column),
                b.stride,
                accumulate || p < parts - 1,
                c.addressOf(row, column),
                c.stride);
          }
        });
    Reference.reachabilityFence(b);
  }

  /**
   * The address of the elements of a matrix as bfloat16, row by row: rounded, and if there are two
   * parts, followed by what rounding left out, rounded as well.
   */
  private long narrow(VectorMemory a, int parts) {
    long length = (long) a.rows * a.columns * parts;
    if (rounded.capacity() < length) {
      rounded.close();
      rounded = new ShortPointer(length);
    }
    long address = rounded.address();
    int row = a.columns * Short.BYTES;
    long low = address + (long) a.rows * row;
    KernelThreads.run(
        a.rows,
        VectorRows.rowsOfRange(a.columns),
        (from, to) -> {
          VectorMemory rows = a.rows(from, to);
          ByteBuffer first = elements(address, from, to, row);
          if (parts == 1) {
            for (int i = 0; i < rows.rows; i++) {
              NarrowMemory.round(rows, i, first, i * row);
            }
          } else {
            ByteBuffer second = elements(low, from, to, row);
            for (int i = 0; i < rows.rows; i++) {
              NarrowMemory.split(rows, i, first, second, i * row);
            }
          }
        });
    return address;
  }

  private static ByteBuffer elements(long address, int from, int to, int row) {
    return VectorMemory.buffer(address + (long) from * row, (long) (to - from) * row);
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
