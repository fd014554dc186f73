package io.guilomo.io;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import io.guilomo.data.Frame;
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
import java.util.stream.Collectors;
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

  /** Files of tokenizers that are not read. */
  private static final List<String> SLOW_FILES =
      List.of(
          "tokenizer.model",
          "spiece.model",
          "sentencepiece.bpe.model",
          "vocab.txt",
          "vocab.json",
          "merges.txt");

  /** Unknown tokens that a message names. */
  private static final int NAMED = 5;

  private final HuggingFaceTokenizer tokenizer;
  private final SpecialTokens special;
  private final int modelVocabulary;
  private final Set<String> controlTokens;
  private final Frame single;
  private final Frame pair;

  /** A text of letters for finding out what is put around it. */
  private static final String PROBE = "a";

  private Tokenizer(HuggingFaceTokenizer tokenizer, SpecialTokens special) {
    this.tokenizer = tokenizer;
    this.special = special;
    this.modelVocabulary = special.modelVocabulary().orElse(Integer.MAX_VALUE);
    this.controlTokens = special.control();
    this.single = found(false);
    this.pair = found(true);
  }

  /**
   * Loads {@code tokenizer.json}, or the only file whose name ends in it, from a model directory.
   *
   * @throws UserException if the directory has none, it is not valid, or it has tokens that the
   *     model does not know and every text can contain
   */
  public static Tokenizer load(String uri, Configuration conf) throws IOException {
    ModelDirectory directory = ModelDirectory.open(uri, conf);
    List<String> files = directory.has(FILE) ? List.of(FILE) : directory.endingIn(FILE);
    if (files.size() != 1) {
      throw directory.refuse(
          files.isEmpty()
              ? withoutTokenizer(directory)
              : "it has several tokenizers: " + String.join(", ", files));
    }
    byte[] json = directory.bytes(files.get(0));
    SpecialTokens special =
        SpecialTokens.read(directory, ModelDirectory.object(json, directory.file(files.get(0))));
    requireKnown(directory, special);
    Map<String, String> options = Map.of("truncation", "false", "padding", "false");
    try {
      return new Tokenizer(
          HuggingFaceTokenizer.newInstance(new ByteArrayInputStream(json), options), special);
    } catch (RuntimeException e) {
      throw SafetensorsHeader.refuse(
          directory.file(files.get(0)), "it is not a tokenizer (" + e.getMessage() + ")");
    }
  }

  /** Whether a directory has a tokenizer in any form, whether or not it can be read. */
  public static boolean isIn(String uri, Configuration conf) throws IOException {
    try {
      ModelDirectory directory = ModelDirectory.open(uri, conf);
      return !directory.endingIn(FILE).isEmpty() || SLOW_FILES.stream().anyMatch(directory::has);
    } catch (UserException e) {
      return false;
    }
  }

  private static String withoutTokenizer(ModelDirectory directory) {
    String other = SLOW_FILES.stream().filter(directory::has).collect(Collectors.joining(" and "));
    String missing = "it has no tokenizer.json";
    return other.isEmpty()
        ? missing
        : """
        %s, only %s; convert it: python3 -c "from transformers import AutoTokenizer as T; \
        d = '%s'; T.from_pretrained(d).save_pretrained(d)\""""
            .formatted(missing, other, directory.path().toUri().getPath());
  }

  private static void requireKnown(ModelDirectory directory, SpecialTokens special)
      throws IOException {
    String template = ChatTemplateFile.source(directory).orElse("");
    List<String> unknown = special.unknownToModel(template);
    if (!unknown.isEmpty()) {
      throw directory.refuse(
          ("its tokenizer can produce %d tokens beyond the %d of the model's vocabulary (%s%s);"
                  + " use the tokenizer that the model was trained with, or resize the model's"
                  + " embeddings and save it with it")
              .formatted(
                  unknown.size(),
                  special.modelVocabulary().orElseThrow(),
                  String.join(", ", unknown.subList(0, Math.min(NAMED, unknown.size()))),
                  unknown.size() > NAMED ? ", …" : ""));
    }
  }

  @Override
  public int[] encode(String text) {
    if (special.llamaClass()) {
      return framed(encodeBare(text));
    }
    return known(tokenizer.encode(text, true, false).getIds());
  }

  @Override
  public int[] encodeBare(String text) {
    return known(tokenizer.encode(text, false, false).getIds());
  }

  @Override
  public Frame frame(boolean two) {
    return two ? pair : single;
  }

  /**
   * What the post-processor of tokenizer.json does; where it does nothing although there are tokens
   * for that, what BERT's does.
   */
  private Frame found(boolean two) {
    if (special.llamaClass()) {
      Frame one = Frame.of(framed(new int[] {Frame.FIRST}), 0);
      return two ? one.then(Frame.of(framed(new int[] {Frame.SECOND}), 1)) : one;
    }
    Encoding encoding =
        two ? tokenizer.encode(PROBE, PROBE, true, false) : tokenizer.encode(PROBE, true, false);
    int length = tokenizer.encode(PROBE, false, false).getIds().length;
    int[] ids = ints(encoding.getIds());
    int[] specials = ints(encoding.getSpecialTokenMask());
    boolean bare = length == 0 || Arrays.stream(specials).noneMatch(mask -> mask == 1);
    if (bare && cls().isPresent() && sep().isPresent()) {
      return Frame.bert(cls().getAsInt(), sep().getAsInt(), two);
    }
    return bare
        ? Frame.of(two ? new int[] {Frame.FIRST, Frame.SECOND} : new int[] {Frame.FIRST}, 0)
        : Frame.around(ids, ints(encoding.getTypeIds()), specials, length);
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

  /** The first token of a sequence, which classifiers read. */
  public OptionalInt cls() {
    return special.named("cls");
  }

  /** The token that ends each part of a pair. */
  public OptionalInt sep() {
    return special.named("sep");
  }

  @Override
  public Set<String> controlTokens() {
    return controlTokens;
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

  /**
   * @throws UserException for a token that the model does not know
   */
  private int[] known(long[] ids) {
    int[] known = ints(ids);
    for (int id : known) {
      if (id >= modelVocabulary) {
        throw new UserException(
            "Cannot use token %s: its id is %d, and the model's vocabulary has %d tokens",
            tokenizer.decode(new long[] {id}, false), id, modelVocabulary);
      }
    }
    return known;
  }

  private static int[] ints(long[] longs) {
    return Arrays.stream(longs).mapToInt(Math::toIntExact).toArray();
  }

  @Override
  public void close() {
    tokenizer.close();
  }
}
