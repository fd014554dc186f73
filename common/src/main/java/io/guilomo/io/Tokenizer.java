package io.guilomo.io;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import io.guilomo.data.TextDecoder;
import io.guilomo.data.TextEncoder;
import io.guilomo.model.UserException;
import java.io.ByteArrayInputStream;
import java.io.Closeable;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;

/**
 * Converts text to the token ids of a model and back, like Hugging Face's fast tokenizer of the
 * same directory. Never truncates or pads. Thread-safe.
 */
public final class Tokenizer implements TextEncoder, TextDecoder, Closeable {

  static {
    // DJL reads this when it loads its native library, which is in its jar: no download is needed.
    System.setProperty("ai.djl.offline", "true");
  }

  private static final String FILE = "tokenizer.json";

  private final HuggingFaceTokenizer tokenizer;
  private final SpecialTokens special;

  /**
   * Token ids of a pair of texts.
   *
   * @param ids with special tokens
   * @param segments 0 for the tokens of the first text, 1 for those of the second; as long as
   *     {@code ids}
   */
  public record Encoded(int[] ids, int[] segments) {}

  private Tokenizer(HuggingFaceTokenizer tokenizer, SpecialTokens special) {
    this.tokenizer = tokenizer;
    this.special = special;
  }

  /**
   * Loads {@code tokenizer.json}, or the only file whose name ends in it, from a model directory.
   *
   * @throws UserException if the directory has none, or it is not valid
   */
  public static Tokenizer load(String uri, Configuration conf) throws IOException {
    ModelDirectory directory = ModelDirectory.open(uri, conf);
    List<String> files = directory.has(FILE) ? List.of(FILE) : directory.endingIn(FILE);
    if (files.size() != 1) {
      throw directory.refuse(
          files.isEmpty()
              ? "it has no tokenizer.json"
              : "it has several tokenizers: " + String.join(", ", files));
    }
    byte[] json = directory.bytes(files.get(0));
    SpecialTokens special =
        SpecialTokens.read(directory, ModelDirectory.object(json, directory.file(files.get(0))));
    Map<String, String> options = Map.of("truncation", "false", "padding", "false");
    try {
      return new Tokenizer(
          HuggingFaceTokenizer.newInstance(new ByteArrayInputStream(json), options), special);
    } catch (RuntimeException e) {
      throw SafetensorsHeader.refuse(
          directory.file(files.get(0)), "it is not a tokenizer (" + e.getMessage() + ")");
    }
  }

  @Override
  public int[] encode(String text) {
    if (special.llamaClass()) {
      return framed(encodeBare(text));
    }
    return ints(tokenizer.encode(text, true, false).getIds());
  }

  @Override
  public int[] encodeBare(String text) {
    return ints(tokenizer.encode(text, false, false).getIds());
  }

  /** Token ids of two texts, with the special tokens that the model expects around and between. */
  public Encoded encodePair(String first, String second) {
    if (special.llamaClass()) {
      int[] one = framed(encodeBare(first));
      int[] two = framed(encodeBare(second));
      int[] segments = new int[one.length + two.length];
      Arrays.fill(segments, one.length, segments.length, 1);
      return new Encoded(joined(one, two), segments);
    }
    Encoding encoding = tokenizer.encode(first, second, true, false);
    return new Encoded(ints(encoding.getIds()), ints(encoding.getTypeIds()));
  }

  /** The text of token ids, without special tokens. */
  public String decode(int[] ids) {
    return decode(ids, false);
  }

  @Override
  public String decode(int[] ids, boolean withSpecial) {
    return tokenizer.decode(Arrays.stream(ids).asLongStream().toArray(), !withSpecial);
  }

  /** Size of the vocabulary, including special tokens: one more than the highest id. */
  public int vocabulary() {
    return special.vocabulary();
  }

  public OptionalInt id(String token) {
    return special.id(token);
  }

  @Override
  public OptionalInt bos() {
    return special.named("bos");
  }

  @Override
  public OptionalInt eos() {
    return special.named("eos");
  }

  @Override
  public Set<Integer> stopTokens() {
    return special.stopTokens();
  }

  public OptionalInt pad() {
    return special.named("pad");
  }

  @Override
  public OptionalInt cls() {
    return special.named("cls");
  }

  @Override
  public OptionalInt sep() {
    return special.named("sep");
  }

  /**
   * Like LlamaTokenizerFast, ignores the post-processor of tokenizer.json and adds special tokens
   * itself.
   */
  private int[] framed(int[] bare) {
    int[] begin = special.addBos() ? bos().stream().toArray() : new int[0];
    int[] end = special.addEos() ? eos().stream().toArray() : new int[0];
    return joined(joined(begin, bare), end);
  }

  private static int[] joined(int[] first, int[] second) {
    return IntStream.concat(Arrays.stream(first), Arrays.stream(second)).toArray();
  }

  private static int[] ints(long[] longs) {
    return Arrays.stream(longs).mapToInt(Math::toIntExact).toArray();
  }

  @Override
  public void close() {
    tokenizer.close();
  }
}
