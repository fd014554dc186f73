package io.guilomo.model;

import java.util.Locale;

/**
 * A mistake in what the user asked for: a configuration, a file, data or a setting that cannot be
 * used. Its message is one line that says what cannot be done, with the value, and what to do. All
 * other exceptions are faults of the program or of the machine.
 */
public final class UserException extends IllegalArgumentException {

  private static final long serialVersionUID = 1;

  public UserException(String message) {
    super(message);
  }

  /** With a message as {@link String#format(Locale, String, Object...)} makes it, in any locale. */
  public UserException(String format, Object... arguments) {
    super(String.format(Locale.ROOT, format, arguments));
  }

  public UserException(String message, Throwable cause) {
    super(message, cause);
  }
}
