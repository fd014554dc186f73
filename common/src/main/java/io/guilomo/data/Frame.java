package io.guilomo.data;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.apache.commons.lang3.ArrayUtils;

/**
 * How a tokenizer frames texts: {@code [CLS] a [SEP] b [SEP]} for BERT, {@code <s> a </s></s> b
 * </s>} for RoBERTa, {@code <s> a} for LLaMA.
 *
 * @param ids special tokens, with {@link #FIRST} and {@link #SECOND} where the texts stand
 * @param segments of each of them; as long as {@code ids}
 */
public record Frame(int[] ids, int[] segments) {

  /** Stands for the first text. */
  public static final int FIRST = -1;

  /** Stands for the second text. */
  public static final int SECOND = -2;

  /** BERT's. */
  public static Frame bert(int cls, int sep, boolean pair) {
    return pair
        ? new Frame(new int[] {cls, FIRST, sep, SECOND, sep}, new int[] {0, 0, 0, 1, 1})
        : of(new int[] {cls, FIRST, sep}, 0);
  }

  /** All of one segment. */
  public static Frame of(int[] ids, int segment) {
    int[] segments = new int[ids.length];
    Arrays.fill(segments, segment);
    return new Frame(ids, segments);
  }

  /**
   * The frame of texts that were encoded in it.
   *
   * @param tokens of one text or two
   * @param types segment of each
   * @param special 1 for each special token, else 0
   * @param length tokens of each text
   */
  public static Frame around(int[] tokens, int[] types, int[] special, int length) {
    int[] ids = new int[tokens.length];
    int[] segments = new int[tokens.length];
    int count = 0;
    int next = FIRST;
    for (int t = 0; t < tokens.length; t++) {
      segments[count] = types[t];
      if (special[t] == 1) {
        ids[count++] = tokens[t];
      } else {
        ids[count++] = next--;
        t += length - 1;
      }
    }
    return new Frame(Arrays.copyOf(ids, count), Arrays.copyOf(segments, count));
  }

  /** This, followed by another. */
  public Frame then(Frame other) {
    return new Frame(joined(ids, other.ids), joined(segments, other.segments));
  }

  private static int[] joined(int[] one, int[] other) {
    return IntStream.concat(Arrays.stream(one), Arrays.stream(other)).toArray();
  }

  /** A text that was encoded in this frame of one, without the special tokens that end it. */
  int[] open(int[] tokens) {
    int ending = ids.length - 1 - ArrayUtils.indexOf(ids, FIRST);
    int begin = tokens.length - ending;
    boolean ended =
        begin >= 0
            && Arrays.equals(ids, ids.length - ending, ids.length, tokens, begin, tokens.length);
    return ended ? Arrays.copyOf(tokens, begin) : tokens;
  }

  /** The number of special tokens. */
  public int special() {
    return (int) Arrays.stream(ids).filter(id -> id >= 0).count();
  }

  /**
   * Texts in this frame, without labels.
   *
   * @param second has no tokens where there is one text
   */
  Example around(int[] first, int[] second) {
    int[] tokens = new int[special() + first.length + second.length];
    int[] parts = new int[tokens.length];
    int length = 0;
    for (int i = 0; i < ids.length; i++) {
      int[] piece = ids[i] == FIRST ? first : ids[i] == SECOND ? second : new int[] {ids[i]};
      System.arraycopy(piece, 0, tokens, length, piece.length);
      Arrays.fill(parts, length, length + piece.length, segments[i]);
      length += piece.length;
    }
    int[] labels = new int[tokens.length];
    Arrays.fill(labels, TokenBatch.IGNORED);
    return new Example(tokens, parts, labels);
  }
}
