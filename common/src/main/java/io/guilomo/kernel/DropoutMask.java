package io.guilomo.kernel;

/**
 * Which elements dropout keeps, as a function of seed, row and column alone. An element's word is a
 * 32-bit finaliser applied to the sum of a key of its row and a key of its column; it is kept if
 * the word, unsigned, reaches {@code rate · 2³²}. The multipliers are below 2³¹, so 64-bit
 * arithmetic represents the products exactly.
 *
 * @param rate probability of being dropped, in {@code [0, 1)}
 * @param seed masks with the same seed drop the same elements
 * @param firstRow row number of the array's first row, where it is a range of rows of a larger
 *     array
 */
public record DropoutMask(float rate, long seed, int firstRow) {
  public static final int SHIFT_1 = 16;
  public static final int MULTIPLIER_1 = 0x7feb352d;
  public static final int SHIFT_2 = 15;
  public static final int MULTIPLIER_2 = 0x446ca68b;
  public static final int SHIFT_3 = 16;

  private static final long GOLDEN_GAMMA = 0x9e3779b97f4a7c15L;

  public DropoutMask {
    if (!(rate >= 0 && rate < 1)) {
      throw new IllegalArgumentException(
          String.format("Cannot drop out at rate %s: it must be in [0, 1)", rate));
    }
  }

  public int rowKey(int row) {
    return (int) (mixed(seed + GOLDEN_GAMMA * (2L * (firstRow + row) + 1)) >>> 32);
  }

  public int columnKey(int column) {
    return (int) (mixed(~seed + GOLDEN_GAMMA * (2L * column + 2)) >>> 32);
  }

  /** Words below it are dropped, as unsigned numbers. */
  public long threshold() {
    return Math.min(Math.round((double) rate * (1L << 32)), 0xffffffffL);
  }

  /** Factor on the elements that are kept. */
  public float factor() {
    return (float) (1 / (1 - (double) rate));
  }

  /** The finaliser of SplitMix64. */
  private static long mixed(long value) {
    long z = (value ^ (value >>> 30)) * 0xbf58476d1ce4e5b9L;
    z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
    return z ^ (z >>> 31);
  }
}
