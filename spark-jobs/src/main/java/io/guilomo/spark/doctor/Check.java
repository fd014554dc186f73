package io.guilomo.spark.doctor;

import java.io.Serializable;
import java.util.Locale;

/**
 * What one check found.
 *
 * @param name what was looked at
 * @param text what was found, on one line
 */
public record Check(Status status, String name, String text) implements Serializable {

  /** Whether a run can go on. */
  public enum Status {
    OK,
    /** It can, but worse than it could. */
    WARNING,
    /** It cannot. */
    CANNOT
  }

  public static Check ok(String name, String text) {
    return new Check(Status.OK, name, text);
  }

  public static Check warning(String name, String text) {
    return new Check(Status.WARNING, name, text);
  }

  public static Check cannot(String name, String text) {
    return new Check(Status.CANNOT, name, text);
  }

  /** One line of the report. */
  public String line() {
    return String.format(
        Locale.ROOT, "%-8s %s: %s", status.name().toLowerCase(Locale.ROOT), name, text);
  }
}
