package io.guilomo.data;

import java.util.OptionalLong;

/** Derives independent seeds from one, and reads them from names. */
public final class Seeds {

  private Seeds() {}

  /**
   * The finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014), applied to both arguments.
   */
  public static long mix(long seed, long stream) {
    long z = seed + 0x9E3779B97F4A7C15L * (stream + 1);
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }

  /** The seed whose decimal form a part of a name is; empty if it is that of none. */
  public static OptionalLong parse(String text) {
    try {
      long seed = Long.parseLong(text);
      return Long.toString(seed).equals(text) ? OptionalLong.of(seed) : OptionalLong.empty();
    } catch (NumberFormatException e) {
      return OptionalLong.empty();
    }
  }
}
