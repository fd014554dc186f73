package io.guilomo.template;

/** A template that cannot be parsed, or that cannot be rendered with these values. */
public final class TemplateException extends RuntimeException {

  private static final long serialVersionUID = 1;

  private final int line;
  private final boolean raised;

  private TemplateException(String message, int line, boolean raised, Throwable cause) {
    super(message, cause);
    this.line = line;
    this.raised = raised;
  }

  static TemplateException of(String format, Object... arguments) {
    return new TemplateException(
        arguments.length == 0 ? format : String.format(format, arguments), 0, false, null);
  }

  /** The template itself refuses the values, by calling {@code raise_exception}. */
  static TemplateException raised(String message) {
    return new TemplateException(message, 0, true, null);
  }

  /** The same with the line where it happened, unless an inner statement has given one. */
  TemplateException at(int where) {
    return line > 0 ? this : new TemplateException(getMessage(), where, raised, this);
  }

  /** From 1; 0 if unknown. */
  public int line() {
    return line;
  }

  /** Whether the template asked for it, by calling {@code raise_exception}. */
  public boolean isRaised() {
    return raised;
  }
}
