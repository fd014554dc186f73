package io.guilomo.spark.data;

import io.guilomo.data.Frame;
import io.guilomo.data.TextEncoder;
import java.util.Arrays;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicInteger;

/** A word is its hash code's last digits; 1 begins, 2 ends, 3 is CLS, 4 is SEP. */
final class HashEncoder implements TextEncoder {

  static final AtomicInteger CREATED = new AtomicInteger();

  HashEncoder() {
    CREATED.incrementAndGet();
  }

  static TextEncoderFactory factory() {
    return new TextEncoderFactory() {
      @Override
      public String key() {
        return "hash";
      }

      @Override
      public TextEncoder create() {
        return new HashEncoder();
      }
    };
  }

  @Override
  public int[] encodeBare(String text) {
    return Arrays.stream(text.split("\\s+"))
        .mapToInt(word -> 10 + Math.floorMod(word.hashCode(), 1000))
        .toArray();
  }

  @Override
  public int[] encode(String text) {
    int[] bare = encodeBare(text);
    int[] ids = new int[bare.length + 1];
    ids[0] = 1;
    System.arraycopy(bare, 0, ids, 1, bare.length);
    return ids;
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
    return Frame.bert(3, 4, pair);
  }
}
