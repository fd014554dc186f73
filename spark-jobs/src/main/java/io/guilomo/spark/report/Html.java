package io.guilomo.spark.report;

import java.util.Set;

/**
 * Builds HTML. Text and attribute values are escaped; names of elements and attributes are not, and
 * must not come from data.
 */
final class Html {

  private static final Set<String> INLINE = Set.of("span", "strong", "a", "code");

  private final StringBuilder text = new StringBuilder();

  /**
   * Opens an element.
   *
   * @param attributes names and values, alternating
   */
  Html open(String element, String... attributes) {
    text.append('<').append(element);
    for (int i = 0; i < attributes.length; i += 2) {
      text.append(' ').append(attributes[i]).append("=\"");
      escape(attributes[i + 1]);
      text.append('"');
    }
    text.append('>');
    return this;
  }

  Html close(String element) {
    text.append("</").append(element).append('>');
    // After an inline element, a line break would show as a space.
    if (!INLINE.contains(element)) {
      text.append('\n');
    }
    return this;
  }

  Html text(String words) {
    escape(words);
    return this;
  }

  /** An element with nothing but text. */
  Html element(String element, String words, String... attributes) {
    return open(element, attributes).text(words).close(element);
  }

  Html add(Html other) {
    text.append(other.text);
    return this;
  }

  /**
   * A bar next to a number.
   *
   * @param share length relative to the longest bar, 0 to 1; NaN is drawn as 0
   */
  Html bar(double share) {
    String width = Numbers.format("--share:%.3f", Double.isFinite(share) ? share : 0);
    return open("span", "class", "bar", "style", width).close("span");
  }

  /** Trusted markup, such as a style sheet, which is not escaped. */
  Html raw(String markup) {
    text.append(markup);
    return this;
  }

  private void escape(String words) {
    for (int i = 0; i < words.length(); i++) {
      char c = words.charAt(i);
      switch (c) {
        case '&' -> text.append("&amp;");
        case '<' -> text.append("&lt;");
        case '>' -> text.append("&gt;");
        case '"' -> text.append("&quot;");
        case '\'' -> text.append("&#39;");
        default -> text.append(c < ' ' && c != '\n' && c != '\t' ? '\uFFFD' : c);
      }
    }
  }

  @Override
  public String toString() {
    return text.toString();
  }
}
