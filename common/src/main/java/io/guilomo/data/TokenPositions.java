package io.guilomo.data;

import java.util.Arrays;

/**
 * Counts the tokens before positions of a text. As special tokens are split off before anything
 * else, what follows one is tokenized the same without what precedes it: from one position to the
 * next, only the text between them is tokenized again.
 */
final class TokenPositions {

  private final TextEncoder encoder;
  private final ControlTokens control;
  private final String text;
  private final int[] tokens;

  /** Where a special token begins, and how many tokens precede it. */
  private int anchor;

  private int anchorToken;

  /**
   * @param tokens of the text
   */
  TokenPositions(TextEncoder encoder, ControlTokens control, String text, int[] tokens) {
    this.encoder = encoder;
    this.control = control;
    this.text = text;
    this.tokens = tokens;
  }

  /**
   * Number of tokens wholly before a position.
   *
   * @param position at least that of the last call
   */
  int before(int position) {
    if (position == text.length()) {
      return tokens.length;
    }
    int token = control.last(text, anchor, position);
    if (token > anchor) {
      int[] between = encoder.encodeBare(text.substring(anchor, token));
      if (common(between, anchorToken) < between.length) {
        return common(encoder.encodeBare(text.substring(0, position)), 0);
      }
      anchor = token;
      anchorToken += between.length;
    }
    int[] rest = encoder.encodeBare(text.substring(anchor, position));
    int common = common(rest, anchorToken);
    return common == 0 && rest.length > 0 && anchor > 0
        ? common(encoder.encodeBare(text.substring(0, position)), 0)
        : anchorToken + common;
  }

  /** How many of these tokens are those of the text from one on. */
  private int common(int[] part, int from) {
    int mismatch = Arrays.mismatch(part, 0, part.length, tokens, from, tokens.length);
    return mismatch < 0 ? part.length : mismatch;
  }
}
