package io.guilomo.template;

import io.guilomo.template.Token.Kind;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Splits a template into tokens, with Jinja's {@code trim_blocks} and {@code lstrip_blocks}: a line
 * break after a tag and blanks before it on its line are not part of the text.
 */
final class TemplateScanner {

  private static final Pattern RAW =
      Pattern.compile(
          "\\s*raw\\s*([-+]?)%}(.*?)\\{%([-+]?)\\s*endraw\\s*([-+]?)%}", Pattern.DOTALL);
  private static final Pattern SPACE = Pattern.compile("\\s+");
  private static final Pattern NAME = Pattern.compile("[\\p{L}_][\\p{L}\\p{N}_]*");
  private static final Pattern FLOAT =
      Pattern.compile("\\d[\\d_]*(\\.\\d[\\d_]*([eE][-+]?\\d+)?|[eE][-+]?\\d+)");
  private static final Pattern INTEGER = Pattern.compile("\\d[\\d_]*");
  private static final Pattern STRING =
      Pattern.compile("'((?:[^'\\\\]|\\\\.)*+)'|\"((?:[^\"\\\\]|\\\\.)*+)\"", Pattern.DOTALL);
  private static final Pattern OPERATOR =
      Pattern.compile("//|\\*\\*|==|!=|<=|>=|[-+*/%~<>=.,:|()\\[\\]{};]");
  private static final String OPENING = "([{";
  private static final String CLOSING = ")]}";

  private final String source;
  private final List<Token> tokens = new ArrayList<>();
  private int at;
  private int counted;
  private int line = 1;

  /** Whether what was read last ended a line, or there was nothing yet. */
  private boolean lineStarts = true;

  private TemplateScanner(String source) {
    this.source = source;
  }

  static List<Token> scan(String template) {
    String source = template.replace("\r\n", "\n").replace('\r', '\n');
    if (source.endsWith("\n")) {
      source = source.substring(0, source.length() - 1);
    }
    return new TemplateScanner(source).scan();
  }

  private List<Token> scan() {
    while (at < source.length()) {
      int open = nextOpening();
      if (open < 0) {
        text(at, source.length(), "", false);
        at = source.length();
        break;
      }
      char kind = source.charAt(open + 1);
      String sign = sign(open + 2);
      text(at, open, sign, kind != '{');
      at = open + 2 + sign.length();
      switch (kind) {
        case '#' -> comment(open);
        case '%' -> tag(open);
        default -> expression(Kind.OUTPUT, "}}", open);
      }
    }
    add(Kind.END, "", source.length());
    return tokens;
  }

  private int nextOpening() {
    for (int i = at; i + 1 < source.length(); i++) {
      if (source.charAt(i) == '{' && "{%#".indexOf(source.charAt(i + 1)) >= 0) {
        return i;
      }
    }
    return -1;
  }

  private String sign(int position) {
    return position < source.length() && "-+".indexOf(source.charAt(position)) >= 0
        ? source.substring(position, position + 1)
        : "";
  }

  /**
   * @param sign at the start of what follows the text
   * @param strips whether that strips blanks before it if it begins its line
   */
  private void text(int from, int to, String sign, boolean strips) {
    String text = source.substring(from, to);
    if (sign.equals("-")) {
      text = text.stripTrailing();
    } else if (strips && !sign.equals("+")) {
      int start = text.lastIndexOf('\n') + 1;
      if ((start > 0 || lineStarts) && text.substring(start).isBlank()) {
        text = text.substring(0, start);
      }
    }
    if (!text.isEmpty()) {
      add(Kind.TEXT, text, from);
    }
  }

  private void comment(int open) {
    int end = source.indexOf("#}", at);
    if (end < 0) {
      throw TemplateException.of("a comment does not end").at(lineOf(open));
    }
    String sign = end > at ? sign(end - 1) : "";
    at = end + 2;
    skipAfter(sign, true);
  }

  private void tag(int open) {
    Matcher raw = RAW.matcher(source).region(at, source.length());
    if (!raw.lookingAt()) {
      expression(Kind.TAG, "%}", open);
      return;
    }
    at = raw.end(1) + 2;
    skipAfter(raw.group(1), true);
    text(Math.min(at, raw.end(2)), raw.end(2), raw.group(3), true);
    at = raw.end();
    skipAfter(raw.group(4), true);
  }

  /** Skips what belongs to the end of a tag or comment. */
  private void skipAfter(String sign, boolean block) {
    int from = at;
    if (sign.equals("-")) {
      while (at < source.length() && Character.isWhitespace(source.charAt(at))) {
        at++;
      }
    } else if (block && !sign.equals("+") && source.startsWith("\n", at)) {
      at++;
    }
    lineStarts = at > from && source.charAt(at - 1) == '\n';
  }

  private void expression(Kind kind, String closing, int open) {
    add(kind, source.substring(open, open + 2), open);
    Deque<Character> brackets = new ArrayDeque<>();
    while (true) {
      skipBlanks();
      if (at >= source.length()) {
        throw TemplateException.of("a tag does not end with %s", closing).at(lineOf(open));
      }
      if (brackets.isEmpty()) {
        String sign = sign(at);
        if (source.startsWith(closing, at + sign.length())) {
          add(Kind.CLOSE, closing, at);
          at += sign.length() + 2;
          skipAfter(sign, kind == Kind.TAG);
          return;
        }
      }
      token(brackets);
    }
  }

  private void skipBlanks() {
    Matcher blanks = SPACE.matcher(source).region(at, source.length());
    if (blanks.lookingAt()) {
      at = blanks.end();
    }
  }

  private void token(Deque<Character> brackets) {
    Matcher matcher = NAME.matcher(source).region(at, source.length());
    if (matcher.lookingAt()) {
      take(Kind.NAME, matcher.group());
    } else if (matcher.usePattern(FLOAT).lookingAt()) {
      take(Kind.FLOAT, matcher.group());
    } else if (matcher.usePattern(INTEGER).lookingAt()) {
      take(Kind.INTEGER, matcher.group());
    } else if (matcher.usePattern(STRING).lookingAt()) {
      String quoted = matcher.group(1) == null ? matcher.group(2) : matcher.group(1);
      add(Kind.STRING, unescaped(quoted), at);
      at = matcher.end();
    } else if (matcher.usePattern(OPERATOR).lookingAt()) {
      balance(matcher.group(), brackets);
      take(Kind.OPERATOR, matcher.group());
    } else {
      throw TemplateException.of("unexpected character '%c'", source.charAt(at)).at(lineOf(at));
    }
  }

  private void balance(String operator, Deque<Character> brackets) {
    int opening = OPENING.indexOf(operator);
    int closing = CLOSING.indexOf(operator);
    if (opening >= 0) {
      brackets.push(CLOSING.charAt(opening));
    } else if (closing >= 0 && (brackets.isEmpty() || brackets.pop() != operator.charAt(0))) {
      throw TemplateException.of("unexpected '%s'", operator).at(lineOf(at));
    }
  }

  private void take(Kind kind, String text) {
    add(kind, text, at);
    at += text.length();
  }

  private void add(Kind kind, String text, int position) {
    tokens.add(new Token(kind, text, lineOf(position)));
  }

  private int lineOf(int position) {
    for (; counted < position; counted++) {
      line += source.charAt(counted) == '\n' ? 1 : 0;
    }
    return line;
  }

  /** Python's escapes; one that it does not know stays as it is. */
  private String unescaped(String text) {
    StringBuilder plain = new StringBuilder();
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c != '\\' || i + 1 == text.length()) {
        plain.append(c);
        continue;
      }
      char escape = text.charAt(++i);
      int digits =
          switch (escape) {
            case 'x' -> 2;
            case 'u' -> 4;
            case 'U' -> 8;
            default -> 0;
          };
      if (digits > 0) {
        plain.appendCodePoint(codePoint(text, i + 1, digits));
        i += digits;
      } else {
        plain.append(simple(escape));
      }
    }
    return plain.toString();
  }

  private int codePoint(String text, int from, int digits) {
    try {
      int code = Integer.parseInt(text, from, from + digits, 16);
      if (Character.isValidCodePoint(code)) {
        return code;
      }
    } catch (NumberFormatException | IndexOutOfBoundsException e) {
      // Refused below.
    }
    throw TemplateException.of("a string has an escape that is not valid").at(lineOf(at));
  }

  private static String simple(char escape) {
    return switch (escape) {
      case 'n' -> "\n";
      case 't' -> "\t";
      case 'r' -> "\r";
      case 'b' -> "\b";
      case 'f' -> "\f";
      case 'a' -> "\u0007";
      case 'v' -> "\u000b";
      case '0' -> "\0";
      case '\n' -> "";
      case '\\', '\'', '"' -> String.valueOf(escape);
      default -> "\\" + escape;
    };
  }
}
