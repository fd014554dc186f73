package io.guilomo.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.guilomo.data.Frame;
import io.guilomo.data.PromptEncoder;
import io.guilomo.data.PromptTemplate;
import io.guilomo.data.TextRecord;
import io.guilomo.golden.GoldenFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;
import java.util.stream.StreamSupport;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TestTokenizer {

  private static final Configuration CONF = new Configuration();

  /**
   * A word-level BERT-like tokenizer that also asks for truncation to 4 and padding to 8 tokens.
   */
  private static final String BERT =
      """
      {"version":"1.0",
       "truncation":{"direction":"Right","max_length":4,"strategy":"LongestFirst","stride":0},
       "padding":{"strategy":{"Fixed":8},"direction":"Right","pad_to_multiple_of":null,"pad_id":0,"pad_type_id":0,
                  "pad_token":"[PAD]"},
       "added_tokens":[
         {"id":0,"content":"[PAD]","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true},
         {"id":2,"content":"[CLS]","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true},
         {"id":3,"content":"[SEP]","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,
          "special":true}],
       "normalizer":null,"pre_tokenizer":{"type":"Whitespace"},
       "post_processor":{"type":"BertProcessing","sep":["[SEP]",3],"cls":["[CLS]",2]},
       "decoder":null,
       "model":{"type":"WordLevel","unk_token":"[UNK]",
                "vocab":{"[PAD]":0,"[UNK]":1,"[CLS]":2,"[SEP]":3,"one":4,"two":5}}}
      """;

  @TempDir Path dir;

  @Test
  void neverTruncatesNorPads() throws IOException {
    Files.writeString(dir.resolve("tokenizer.json"), BERT);
    try (Tokenizer tokenizer = load(dir)) {
      assertThat(tokenizer.encode("one two " + "two ".repeat(1000)))
          .hasSize(1004)
          .startsWith(2, 4, 5)
          .endsWith(5, 3);
      assertThat(tokenizer.encode("one")).containsExactly(2, 4, 3);
      assertThat(tokenizer.encodeBare("one three")).containsExactly(4, 1);
      assertThat(tokenizer.encodeBare("")).isEmpty();
      Frame pair = tokenizer.frame(true);
      assertThat(pair.ids()).containsExactly(2, Frame.FIRST, 3, Frame.SECOND, 3);
      assertThat(pair.segments()).containsExactly(0, 0, 0, 1, 1);
      assertThat(tokenizer.frame(false).ids()).containsExactly(2, Frame.FIRST, 3);
      assertThat(tokenizer.decode(new int[] {2, 4, 5, 3})).isEqualTo("one two");
      assertThat(tokenizer.cls()).hasValue(2);
      assertThat(tokenizer.sep()).hasValue(3);
      assertThat(tokenizer.pad()).hasValue(0);
      assertThat(tokenizer.bos()).isEmpty();
      assertThat(tokenizer.id("two")).hasValue(5);
      assertThat(tokenizer.vocabulary()).isEqualTo(6);
    }
  }

  @Test
  void aPointerOfGitLfsIsRefused() throws IOException {
    Files.writeString(
        dir.resolve("tokenizer.json"),
        "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 541952\n");
    assertThatThrownBy(() -> load(dir))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageMatching("Cannot read .*/tokenizer.json: it is a Git LFS pointer, .*");
  }

  @Test
  void stopTokensOfAllFiles() throws IOException {
    Files.writeString(dir.resolve("tokenizer.json"), BERT);
    Files.writeString(dir.resolve("tokenizer_config.json"), "{\"eos_token\":\"[SEP]\"}");
    try (Tokenizer tokenizer = load(dir)) {
      assertThat(tokenizer.stopTokens()).containsExactlyInAnyOrder(3);
    }
    Files.writeString(dir.resolve("config.json"), "{\"eos_token_id\":4}");
    Files.writeString(dir.resolve("generation_config.json"), "{\"eos_token_id\":[5,3]}");
    try (Tokenizer tokenizer = load(dir)) {
      assertThat(tokenizer.stopTokens()).containsExactlyInAnyOrder(3, 4, 5);
    }
    Files.writeString(dir.resolve("generation_config.json"), "{\"eos_token_id\":null}");
    try (Tokenizer tokenizer = load(dir)) {
      assertThat(tokenizer.stopTokens()).containsExactlyInAnyOrder(3, 4);
    }
  }

  @Test
  void specialTokensOfTheModelsFiles() throws IOException {
    Files.writeString(dir.resolve("tokenizer.json"), BERT);
    Files.writeString(
        dir.resolve("tokenizer_config.json"),
        "{\"bos_token\":{\"content\":\"one\"},\"pad_token\":null}");
    Files.writeString(
        dir.resolve("config.json"),
        "{\"eos_token_id\":[5,3],\"bos_token_id\":3,\"pad_token_id\":1}");
    try (Tokenizer tokenizer = load(dir)) {
      assertThat(tokenizer.bos()).hasValue(4);
      assertThat(tokenizer.eos()).hasValue(5);
      assertThat(tokenizer.pad()).hasValue(1);
    }
  }

  @Test
  void framesAsLlamaTokenizerDoes() throws IOException {
    Files.writeString(dir.resolve("x-tokenizer.json"), BERT);
    Files.writeString(
        dir.resolve("tokenizer_config.json"),
        """
        {"tokenizer_class":"LlamaTokenizer","bos_token":"[CLS]","eos_token":"[SEP]","add_bos_token":false,
         "add_eos_token":true}
        """);
    try (Tokenizer tokenizer = load(dir)) {
      assertThat(tokenizer.encode("one")).containsExactly(4, 3);
      assertThat(prompt(tokenizer, "one two")).containsExactly(4, 5);
      assertThat(tokenizer.frame(true).ids()).containsExactly(Frame.FIRST, 3, Frame.SECOND, 3);
      assertThat(tokenizer.frame(true).segments()).containsExactly(0, 0, 1, 1);
    }
    Files.writeString(
        dir.resolve("tokenizer_config.json"),
        "{\"tokenizer_class\":\"LlamaTokenizer\",\"bos_token\":\"[CLS]\"}");
    try (Tokenizer tokenizer = load(dir)) {
      assertThat(tokenizer.encode("one")).containsExactly(2, 4);
    }
  }

  @Test
  void framesAsThePostProcessorDoes() throws IOException {
    String roberta =
        BERT.replace(
            "\"BertProcessing\",\"sep\"",
            "\"RobertaProcessing\",\"trim_offsets\":true,\"add_prefix_space\":false,\"sep\"");
    Files.writeString(dir.resolve("tokenizer.json"), roberta);
    try (Tokenizer tokenizer = load(dir)) {
      assertThat(tokenizer.frame(false).ids()).containsExactly(2, Frame.FIRST, 3);
      assertThat(prompt(tokenizer, "one two")).containsExactly(2, 4, 5);
      assertThat(tokenizer.frame(true).ids())
          .containsExactly(2, Frame.FIRST, 3, 3, Frame.SECOND, 3);
      assertThat(tokenizer.frame(true).segments()).containsOnly(0);
    }
    String none = BERT.replaceFirst("\"post_processor\":\\{[^}]*}", "\"post_processor\":null");
    Files.writeString(dir.resolve("tokenizer.json"), none);
    try (Tokenizer tokenizer = load(dir)) {
      assertThat(tokenizer.frame(true).ids()).containsExactly(2, Frame.FIRST, 3, Frame.SECOND, 3);
    }
    Files.writeString(
        dir.resolve("tokenizer.json"), none.replace("[CLS]", "<c>").replace("[SEP]", "<s>"));
    try (Tokenizer tokenizer = load(dir)) {
      assertThat(tokenizer.frame(false).ids()).containsExactly(Frame.FIRST);
      assertThat(tokenizer.frame(true).ids()).containsExactly(Frame.FIRST, Frame.SECOND);
    }
  }

  private static int[] prompt(Tokenizer tokenizer, String text) {
    PromptTemplate bare =
        new PromptTemplate("{instruction}{input}", "{instruction}", "?", Pattern.compile("(.)"));
    return new PromptEncoder(tokenizer, bare)
        .prompt(new TextRecord.Instruction(text, "", "two", null));
  }

  @Test
  void refuses() throws IOException {
    assertThatThrownBy(() -> load(dir))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Cannot load %s: it has no tokenizer.json", hadoop(dir));
    Files.writeString(dir.resolve("tokenizer.json"), "{}");
    assertThatThrownBy(() -> load(dir))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith(
            "Cannot read %s/tokenizer.json: it is not a tokenizer (", hadoop(dir));
    Files.writeString(dir.resolve("tokenizer.json"), "no");
    assertThatThrownBy(() -> load(dir))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("Cannot read %s/tokenizer.json: it is not JSON (", hadoop(dir));
    Files.move(dir.resolve("tokenizer.json"), dir.resolve("a-tokenizer.json"));
    Files.writeString(dir.resolve("b-tokenizer.json"), "{}");
    assertThatThrownBy(() -> load(dir))
        .hasMessage(
            "Cannot load %s: it has several tokenizers: a-tokenizer.json, b-tokenizer.json",
            hadoop(dir));
  }

  /**
   * The vocabulary under this name is Mistral's: its {@code ▁Hello} is 22557, not LLaMA-2's 15043.
   */
  @Test
  void mistral() throws IOException {
    try (Tokenizer tokenizer = load(GoldenFiles.models().resolve("llama2-hf-tokenizer"))) {
      assumeThat(tokenizer.id("▁Hello")).as("Mistral's vocabulary").hasValue(22557);
      assertThat(tokenizer.encode("Hello world")).containsExactly(1, 22557, 1526);
      assertThat(tokenizer.encode("This is a test."))
          .containsExactly(1, 851, 349, 264, 1369, 28723);
      assertThat(tokenizer.encodeBare("Hello world")).containsExactly(22557, 1526);
      assertThat(tokenizer.encode("")).containsExactly(1);
      assertThat(tokenizer.encode("\n")).containsExactly(1, 28705, 13);
      assertThat(tokenizer.encode("a</s>")).containsExactly(1, 264, 2);
      assertThat(tokenizer.decode(new int[] {1, 22557, 1526, 2})).isEqualTo("Hello world");
      assertThat(tokenizer.decode(new int[] {22557, 1526, 2}, true)).isEqualTo("Hello world</s>");
      assertThat(tokenizer.encode("word ".repeat(3000)).length).isGreaterThan(3000);
      assertThat(tokenizer.bos()).hasValue(1);
      assertThat(tokenizer.eos()).hasValue(2);
      assertThat(tokenizer.pad()).isEmpty();
      assertThat(tokenizer.vocabulary()).isEqualTo(32000);
    }
  }

  @Test
  void llama2() throws IOException {
    try (Tokenizer tokenizer = load(GoldenFiles.models().resolve("llama2-hf-tokenizer"))) {
      assumeThat(tokenizer.id("▁Hello")).as("LLaMA-2's vocabulary").hasValue(15043);
      assertThat(tokenizer.encode("Hello world")).containsExactly(1, 15043, 3186);
      assertThat(tokenizer.encode("This is a test."))
          .containsExactly(1, 910, 338, 263, 1243, 29889);
      assertThat(tokenizer.encode("\n")).containsExactly(1, 29871, 13);
    }
  }

  @Test
  void stories260k() throws IOException {
    Path model = GoldenFiles.models().resolve("stories260K-hf");
    try (Tokenizer tokenizer = load(model)) {
      for (JsonNode golden : GoldenFiles.parse(model.resolve("encode_golden.json"))) {
        int[] ids =
            StreamSupport.stream(golden.get("ids").spliterator(), false)
                .mapToInt(JsonNode::asInt)
                .toArray();
        assertThat(tokenizer.encode(golden.get("text").asText())).isEqualTo(ids);
        assertThat(tokenizer.decode(ids)).isEqualTo(golden.get("text").asText());
      }
      assertThat(tokenizer.vocabulary()).isEqualTo(512);
    }
  }

  private static Tokenizer load(Path directory) throws IOException {
    return Tokenizer.load(directory.toUri().toString(), CONF);
  }

  /** The directory as messages name it. */
  private static String hadoop(Path directory) {
    return new org.apache.hadoop.fs.Path(directory.toUri().toString()).toString();
  }
}
