package io.guilomo.data;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Finds the special tokens of a tokenizer in a text. */
final class ControlTokens {

  /** By their first character, the longest first. */
  private final Map<Character, List<String>> tokens = new HashMap<>();

  ControlTokens(Collection<String> texts) {
    for (String token : texts) {
      if (!token.isEmpty()) {
        tokens.computeIfAbsent(token.charAt(0), first -> new ArrayList<>()).add(token);
      }
    }
    tokens.values().forEach(same -> same.sort(Comparator.comparing(String::length).reversed()));
  }

  /** Length of the longest token that begins at a position; 0 if none does. */
  int lengthAt(String text, int position) {
    if (position < text.length()) {
      for (String token : tokens.getOrDefault(text.charAt(position), List.of())) {
        if (text.startsWith(token, position)) {
          return token.length();
        }
      }
    }
    return 0;
  }

  /** Where the last token in a part of a text begins; −1 if there is none. */
  int last(String text, int from, int to) {
    for (int at = to - 1; at >= from; at--) {
      int length = lengthAt(text, at);
      if (length > 0 && at + length <= to) {
        return at;
      }
    }
    return -1;
  }

  /** The end of the token that follows a position, perhaps after white space; −1 if none does. */
  int endAfter(String text, int position) {
    int at = position;
    while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
      at++;
    }
    int length = lengthAt(text, at);
    return length == 0 ? -1 : at + length;
  }
}
