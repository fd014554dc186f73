package io.guilomo.template;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** Python's functions of strings that both its methods and Jinja's filters offer. */
final class Texts {

  private static final String BREAKS = "\n\r\u000b\f\u001c\u001d\u001e\u0085\u2028\u2029";

  private Texts() {}

  /**
   * Removes characters at the ends.
   *
   * @param characters those to remove; null: white space
   */
  static String strip(String text, String characters, boolean left, boolean right) {
    int from = 0;
    int to = text.length();
    while (left && from < to && stripped(text.codePointAt(from), characters)) {
      from += Character.charCount(text.codePointAt(from));
    }
    while (right && to > from && stripped(text.codePointBefore(to), characters)) {
      to -= Character.charCount(text.codePointBefore(to));
    }
    return text.substring(from, to);
  }

  private static boolean stripped(int c, String characters) {
    return characters == null ? isSpace(c) : characters.indexOf(c) >= 0;
  }

  /** Python's {@code isspace}. */
  static boolean isSpace(int c) {
    return Character.isWhitespace(c) || Character.isSpaceChar(c) || c == 0x85;
  }

  static List<Object> split(String text, String separator, long most) {
    List<Object> parts = new ArrayList<>();
    if (separator == null) {
      return splitAtSpace(text, most);
    }
    requireSeparator(separator);
    int from = 0;
    for (int at = text.indexOf(separator);
        at >= 0 && (most < 0 || parts.size() < most);
        at = text.indexOf(separator, from)) {
      parts.add(text.substring(from, at));
      from = at + separator.length();
    }
    parts.add(text.substring(from));
    return parts;
  }

  private static List<Object> splitAtSpace(String text, long most) {
    List<Object> parts = new ArrayList<>();
    String rest = strip(text, null, true, false);
    while (!rest.isEmpty()) {
      int end = 0;
      while (end < rest.length() && !isSpace(rest.codePointAt(end))) {
        end += Character.charCount(rest.codePointAt(end));
      }
      if (most >= 0 && parts.size() >= most) {
        parts.add(strip(rest, null, false, true));
        break;
      }
      parts.add(rest.substring(0, end));
      rest = strip(rest.substring(end), null, true, false);
    }
    return parts;
  }

  static List<Object> splitFromRight(String text, String separator, long most) {
    if (separator == null || most < 0) {
      if (separator == null && most >= 0) {
        throw TemplateException.of("rsplit with a limit needs a separator");
      }
      return split(text, separator, -1);
    }
    requireSeparator(separator);
    List<Object> parts = new ArrayList<>();
    int to = text.length();
    for (int at = text.lastIndexOf(separator);
        at >= 0 && parts.size() < most;
        at = at == 0 ? -1 : text.lastIndexOf(separator, at - separator.length())) {
      parts.add(0, text.substring(at + separator.length(), to));
      to = at;
    }
    parts.add(0, text.substring(0, to));
    return parts;
  }

  private static void requireSeparator(String separator) {
    if (separator.isEmpty()) {
      throw TemplateException.of("cannot split at an empty separator");
    }
  }

  static List<Object> lines(String text, boolean keepEnds) {
    List<Object> lines = new ArrayList<>();
    int from = 0;
    for (int i = 0; i < text.length(); i++) {
      if (BREAKS.indexOf(text.charAt(i)) >= 0) {
        int end = text.startsWith("\r\n", i) ? i + 2 : i + 1;
        lines.add(text.substring(from, keepEnds ? end : i));
        from = end;
        i = end - 1;
      }
    }
    if (from < text.length()) {
      lines.add(text.substring(from));
    }
    return lines;
  }

  static String replace(String text, String old, String by, long most, Budget budget) {
    StringBuilder replaced = new StringBuilder();
    int from = 0;
    int done = 0;
    if (old.isEmpty()) {
      throw TemplateException.of("cannot replace an empty string");
    }
    for (int at = text.indexOf(old);
        at >= 0 && (most < 0 || done < most);
        at = text.indexOf(old, from)) {
      budget.characters((long) replaced.length() + at - from + by.length());
      replaced.append(text, from, at).append(by);
      from = at + old.length();
      done++;
    }
    budget.characters((long) replaced.length() + text.length() - from);
    return replaced.append(text, from, text.length()).toString();
  }

  static String join(List<Object> parts, String separator, Budget budget) {
    StringBuilder joined = new StringBuilder();
    for (int i = 0; i < parts.size(); i++) {
      String part = PythonValues.text(parts.get(i), budget);
      budget.step();
      budget.characters((long) joined.length() + separator.length() + part.length());
      joined.append(i == 0 ? "" : separator).append(part);
    }
    return joined.toString();
  }

  static String capitalize(String text) {
    if (text.isEmpty()) {
      return text;
    }
    int first = text.offsetByCodePoints(0, 1);
    return text.substring(0, first).toUpperCase(Locale.ROOT)
        + text.substring(first).toLowerCase(Locale.ROOT);
  }

  static String title(String text) {
    StringBuilder title = new StringBuilder();
    boolean inside = false;
    for (int c : text.codePoints().toArray()) {
      String letter = Character.toString(c);
      boolean cased = Character.isLetter(c);
      title.append(
          !cased
              ? letter
              : inside ? letter.toLowerCase(Locale.ROOT) : letter.toUpperCase(Locale.ROOT));
      inside = cased;
    }
    return title.toString();
  }

  static String indent(String text, String by, boolean first, boolean blank, Budget budget) {
    List<String> lines = Arrays.asList(text.split("\n", -1));
    budget.characters(text.length() + (long) lines.size() * by.length());
    StringBuilder indented = new StringBuilder(first ? by : "");
    for (int i = 0; i < lines.size(); i++) {
      String line = lines.get(i);
      indented.append(i == 0 ? "" : "\n");
      indented.append(i > 0 && (blank || !line.isEmpty()) ? by : "").append(line);
    }
    return indented.toString();
  }
}
