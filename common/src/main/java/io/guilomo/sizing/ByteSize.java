package io.guilomo.sizing;

import java.util.Locale;

/** Numbers of bytes as people read them: a GB has 10⁹. */
public final class ByteSize {

  private static final double KILO = 1e3;
  private static final double MEGA = 1e6;
  private static final double GIGA = 1e9;
  private static final long GIBI = 1L << 30;

  private ByteSize() {}

  /** {@code 12.3 GB}, {@code 340 MB} or {@code 5 kB}. */
  public static String text(long bytes) {
    if (bytes >= 0.9995 * GIGA) {
      return String.format(Locale.ROOT, "%.1f GB", bytes / GIGA);
    }
    return bytes >= 0.9995 * MEGA
        ? String.format(Locale.ROOT, "%.0f MB", bytes / MEGA)
        : String.format(Locale.ROOT, "%.0f kB", bytes / KILO);
  }

  /**
   * The smallest setting, such as {@code 13g}, that allows at least that many bytes; a g is 2³⁰.
   */
  public static String setting(long bytes) {
    return Math.max(1, (bytes + GIBI - 1) / GIBI) + "g";
  }
}
