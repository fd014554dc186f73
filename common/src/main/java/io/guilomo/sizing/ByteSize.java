package io.guilomo.sizing;

import io.guilomo.model.UserException;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Numbers of bytes as people read them: a GB has 10⁹. */
public final class ByteSize {

  private static final double KILO = 1e3;
  private static final double MEGA = 1e6;
  private static final double GIGA = 1e9;
  private static final long GIBI = 1L << 30;

  private static final Pattern SIZE =
      Pattern.compile("(\\d{1,9}(?:\\.\\d{1,9})?) ?(?:([KMGT])(I?))?B", Pattern.CASE_INSENSITIVE);

  private ByteSize() {}

  /**
   * The bytes of a size such as {@code 500MB}, or {@code 2GiB} for powers of 1024.
   *
   * @throws UserException if the text is no size of at least one byte
   */
  public static long parse(String text) {
    Matcher size = SIZE.matcher(text.strip());
    if (size.matches()) {
      String prefix = size.group(2) == null ? "B" : size.group(2).toUpperCase(Locale.ROOT);
      boolean binary = size.group(3) != null && !size.group(3).isEmpty();
      double unit = Math.pow(binary ? 1024 : KILO, "BKMGT".indexOf(prefix));
      double bytes = Double.parseDouble(size.group(1)) * unit;
      if (bytes >= 1) {
        return Math.round(bytes);
      }
    }
    throw new UserException(
        "Cannot use the size %s: expected a number with a unit, such as 500MB, 5GB or 2GiB", text);
  }

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
