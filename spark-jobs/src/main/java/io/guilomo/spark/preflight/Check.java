package io.guilomo.spark.preflight;

import java.io.Serializable;
import java.util.Locale;

/**
 * The result of one check.
 *
 * @param name what was checked
 * @param process that it was checked in, as reports name it; empty if it is not of a single one
 * @param text what was found, in one line
 */
public record Check(Status status, String name, String process, String text)
    implements Serializable {

  /** Whether a run can proceed. */
  public enum Status {
    OK,
    /** It can, but may be slow or fail later. */
    WARNING,
    /** It cannot. */
    CANNOT
  }

  public static Check ok(String name, String text) {
    return new Check(Status.OK, name, "", text);
  }

  public static Check warning(String name, String text) {
    return new Check(Status.WARNING, name, "", text);
  }

  public static Check cannot(String name, String text) {
    return new Check(Status.CANNOT, name, "", text);
  }

  /** With more text. */
  Check and(String more) {
    return new Check(status, name, process, text + more);
  }

  /** As one of a process. */
  Check in(String other) {
    return new Check(status, name, other, text);
  }

  /** What was checked, and in which process. */
  public String subject() {
    return process.isEmpty() ? name : name + ", " + process;
  }

  /** One line of the report. */
  public String line() {
    return String.format(
        Locale.ROOT, "%-8s %s: %s", status.name().toLowerCase(Locale.ROOT), subject(), text);
  }
}
