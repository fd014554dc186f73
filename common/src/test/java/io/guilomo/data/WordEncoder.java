package io.guilomo.data;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/**
 * A vocabulary made as it reads: words and line breaks are tokens from 10 on; 1 begins, 2 ends, 3
 * is CLS, 4 is SEP.
 */
public final class WordEncoder implements TextEncoder, TextDecoder {

  private final List<String> words = new ArrayList<>();
  private final boolean ending;

  public WordEncoder() {
    this(false);
  }

  /**
   * @param ending whether a text on its own is followed by 2
   */
  public WordEncoder(boolean ending) {
    this.ending = ending;
  }

  @Override
  public synchronized int[] encodeBare(String text) {
    List<Integer> ids = new ArrayList<>();
    for (String word : text.split("(?<=\n)|(?=\n)| ")) {
      if (!word.isEmpty()) {
        if (!words.contains(word)) {
          words.add(word);
        }
        ids.add(10 + words.indexOf(word));
      }
    }
    return ids.stream().mapToInt(i -> i).toArray();
  }

  @Override
  public int[] encode(String text) {
    int[] bare = encodeBare(text);
    int[] ids = new int[bare.length + (ending ? 2 : 1)];
    ids[0] = 1;
    System.arraycopy(bare, 0, ids, 1, bare.length);
    if (ending) {
      ids[ids.length - 1] = 2;
    }
    return ids;
  }

  @Override
  public synchronized String decode(int[] tokens, boolean special) {
    StringBuilder text = new StringBuilder();
    for (int token : tokens) {
      if (token >= 10) {
        text.append(text.isEmpty() ? "" : " ").append(words.get(token - 10));
      } else if (special) {
        text.append(List.of("", "<s>", "</s>", "<cls>", "<sep>").get(token));
      }
    }
    return text.toString();
  }

  @Override
  public OptionalInt bos() {
    return OptionalInt.of(1);
  }

  @Override
  public OptionalInt eos() {
    return OptionalInt.of(2);
  }

  @Override
  public Frame frame(boolean pair) {
    return ending && !pair ? Frame.of(new int[] {1, Frame.FIRST, 2}, 0) : Frame.bert(3, 4, pair);
  }
}
