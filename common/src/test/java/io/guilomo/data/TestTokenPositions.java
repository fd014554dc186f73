package io.guilomo.data;

import static org.assertj.core.api.Assertions.assertThat;

import io.guilomo.golden.TokenizerDirectories;
import io.guilomo.io.Tokenizer;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;

class TestTokenPositions {

  /** LLaMA 2's tokenizer puts a space before what follows a special token. */
  @Test
  void agreesWithATokenizerOnEveryPosition() throws Exception {
    String text =
        "<s>[INST] Hi there, who  are you?[/INST] I'm a model.</s>[INST]\nNaïve 🙂?[/INST] Yes 🙂</s>"
            .repeat(6);
    String directory = TokenizerDirectories.require("llama2").toString();
    try (Tokenizer tokenizer = Tokenizer.load(directory, new Configuration())) {
      Counting counting = new Counting(tokenizer);
      int[] tokens = tokenizer.encodeBare(text);
      ControlTokens control = new ControlTokens(tokenizer.controlTokens());
      TokenPositions all = new TokenPositions(tokenizer, control, text, tokens);
      for (int i = 0; i < text.length(); i++) {
        if (Character.isLowSurrogate(text.charAt(i))) {
          continue;
        }
        int[] prefix = tokenizer.encodeBare(text.substring(0, i));
        int mismatch = Arrays.mismatch(prefix, tokens);
        assertThat(all.before(i))
            .as(text.substring(0, i))
            .isEqualTo(mismatch < 0 ? tokens.length : mismatch);
      }
      TokenPositions turns = new TokenPositions(counting, control, text, tokens);
      for (int at = text.indexOf("[/INST]"); at >= 0; at = text.indexOf("[/INST]", at + 1)) {
        turns.before(at + "[/INST]".length());
        turns.before(text.indexOf("</s>", at) + "</s>".length());
      }
      assertThat(counting.encoded).isLessThan(3 * text.length());
    }
  }

  /** A token reaches across a position, and the start of a text has one of its own. */
  @Test
  void countsTokensAsTheWholeTextHasThem() {
    TextEncoder encoder =
        new TestRecordEncoder.StubEncoder(
            text -> text.replaceAll("(^|#)(?=[^#])", "$1_").replace("ay", "Y").chars().toArray());
    ControlTokens control = new ControlTokens(List.of("#"));
    for (String text : List.of("ux#ayz#uu#ay#", "#ayz#", "ayay", "a#y##ay")) {
      int[] tokens = encoder.encodeBare(text);
      TokenPositions positions = new TokenPositions(encoder, control, text, tokens);
      for (int i = 0; i < text.length(); i++) {
        int[] prefix = encoder.encodeBare(text.substring(0, i));
        int mismatch = Arrays.mismatch(prefix, tokens);
        assertThat(positions.before(i)).as("%s %d", text, i).isEqualTo(Math.max(mismatch, 0));
      }
      assertThat(positions.before(text.length())).isEqualTo(tokens.length);
    }
  }

  /** Counts the characters that it encodes, and how often its special tokens are asked for. */
  static final class Counting implements TextEncoder {
    private final TextEncoder encoder;
    int encoded;
    int asked;

    Counting(TextEncoder encoder) {
      this.encoder = encoder;
    }

    @Override
    public int[] encode(String text) {
      encoded += text.length();
      return encoder.encode(text);
    }

    @Override
    public int[] encodeBare(String text) {
      encoded += text.length();
      return encoder.encodeBare(text);
    }

    @Override
    public OptionalInt bos() {
      return encoder.bos();
    }

    @Override
    public OptionalInt eos() {
      return encoder.eos();
    }

    @Override
    public Frame frame(boolean pair) {
      return encoder.frame(pair);
    }

    @Override
    public Set<String> controlTokens() {
      asked++;
      return encoder.controlTokens();
    }
  }
}
