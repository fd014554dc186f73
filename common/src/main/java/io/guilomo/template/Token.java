package io.guilomo.template;

/**
 * A piece of a template.
 *
 * @param text of {@link Kind#TEXT} and {@link Kind#STRING} without quotes and escapes, else as it
 *     is written
 * @param line from 1
 */
record Token(Kind kind, String text, int line) {

  enum Kind {
    /** Text to copy. */
    TEXT,
    /** The start of <code>{{ … }}</code>. */
    OUTPUT,
    /** The start of <code>{% … %}</code>. */
    TAG,
    /** The end of either. */
    CLOSE,
    NAME,
    STRING,
    INTEGER,
    FLOAT,
    OPERATOR,
    END
  }

  boolean is(Kind expected, String what) {
    return kind == expected && text.equals(what);
  }

  boolean isName(String name) {
    return is(Kind.NAME, name);
  }

  boolean isOperator(String operator) {
    return is(Kind.OPERATOR, operator);
  }

  String describe() {
    return kind == Kind.END || kind == Kind.CLOSE
        ? "the end of the " + (kind == Kind.END ? "template" : "tag")
        : "'" + text + "'";
  }
}
