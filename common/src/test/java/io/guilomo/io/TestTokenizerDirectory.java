package io.guilomo.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.data.ChatTemplate;
import io.guilomo.model.UserException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the files of a model say about its tokenizer and its chat template. */
class TestTokenizerDirectory {

  private static final Configuration CONF = new Configuration();

  private static final String TOKENIZER =
      """
      {"version":"1.0","truncation":null,"padding":null,
       "added_tokens":[
         {"id":3,"content":"<end>","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true},
         {"id":4,"content":"<pad>","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true},
         {"id":5,"content":"<plain>","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,
          "special":false}],
       "normalizer":null,"pre_tokenizer":{"type":"Whitespace"},"post_processor":null,"decoder":null,
       "model":{"type":"WordLevel","unk_token":"one","vocab":{"one":0,"two":1,"three":2}}}
      """;

  @TempDir Path dir;

  @BeforeEach
  void writes() throws IOException {
    write("tokenizer.json", TOKENIZER);
    write("config.json", "{\"vocab_size\": 4}");
  }

  @Test
  void refusesATokenizerInAnotherFormWithTheCommandThatConvertsIt() throws IOException {
    Files.delete(dir.resolve("tokenizer.json"));
    assertThatThrownBy(this::load).hasMessageEndingWith("it has no tokenizer.json");
    write("tokenizer.model", "x");
    assertThatThrownBy(this::load)
        .isInstanceOf(UserException.class)
        .hasMessageEndingWith(
            "it has no tokenizer.json, only tokenizer.model; convert it: python3 -c \"from"
                + " transformers import AutoTokenizer as T; d = '"
                + dir
                + "'; T.from_pretrained(d).save_pretrained(d)\"");
    Files.delete(dir.resolve("tokenizer.model"));
    write("vocab.json", "{}");
    write("merges.txt", "");
    assertThatThrownBy(this::load).hasMessageContaining("only vocab.json and merges.txt; convert");
  }

  @Test
  void toleratesTokensThatNoTextHas() throws IOException {
    write("tokenizer_config.json", "{\"pad_token\": \"<pad>\", \"eos_token\": \"<end>\"}");
    try (Tokenizer tokenizer = load()) {
      assertThat(tokenizer.encode("two <end>")).containsExactly(1, 3);
      assertThat(tokenizer.controlTokens()).containsExactlyInAnyOrder("<end>", "<pad>");
      assertThatThrownBy(() -> tokenizer.encode("two <plain>"))
          .isInstanceOf(UserException.class)
          .hasMessage(
              "Cannot use token <plain>: its id is 5, and the model's vocabulary has 4 tokens");
    }
  }

  @Test
  void refusesTokensThatEveryTextHas() throws IOException {
    write("tokenizer_config.json", "{\"eos_token\": \"<plain>\"}");
    assertThatThrownBy(this::load)
        .isInstanceOf(UserException.class)
        .hasMessageEndingWith(
            "its tokenizer can produce 1 tokens beyond the 4 of the model's vocabulary (<plain> 5);"
                + " use the tokenizer that the model was trained with, or resize the model's"
                + " embeddings and save it with it");
    write("tokenizer_config.json", "{\"chat_template\": \"{{ messages[0].content }}<pad>\"}");
    assertThatThrownBy(this::load).hasMessageContaining("(<pad> 4)");
    write("tokenizer_config.json", "{}");
    write("config.json", "{\"text_config\": {\"vocab_size\": 2}}");
    assertThatThrownBy(this::load)
        .hasMessageContaining("1 tokens beyond the 2")
        .hasMessageContaining("(three 2)");
  }

  @Test
  void findsTheChatTemplate() throws IOException {
    assertThat(ChatTemplateFile.read(dir.toString(), CONF)).isEmpty();
    write(
        "special_tokens_map.json", "{\"bos_token\": {\"content\": \"<b>\"}, \"unk_token\": \"u\"}");
    write(
        "tokenizer_config.json",
        "{\"chat_template\": \"one\", \"eos_token\": \"<e>\", \"pad_token\": null,"
            + " \"sep_token\": \"\", \"mask_token\": {\"content\": \" \"}, \"unk_token\": \"\", \"add_bos_token\": true}");
    assertThat(ChatTemplateFile.read(dir.toString(), CONF))
        .contains(
            new ChatTemplate(
                "one", Map.of("bos_token", "<b>", "unk_token", "u", "eos_token", "<e>")));
    write(
        "tokenizer_config.json",
        "{\"chat_template\": [{\"name\": \"tool_use\", \"template\": \"no\"},"
            + " {\"name\": \"default\", \"template\": \"listed\"}]}");
    assertThat(ChatTemplateFile.read(dir.toString(), CONF).orElseThrow().source())
        .isEqualTo("listed");
    write("tokenizer_config.json", "{\"chat_template\": \" \"}");
    assertThat(ChatTemplateFile.read(dir.toString(), CONF)).isEmpty();
    write("chat_template.jinja", "file");
    assertThat(ChatTemplateFile.read(dir.toString(), CONF).orElseThrow().source())
        .isEqualTo("file");
    Files.delete(dir.resolve("chat_template.jinja"));
    write(
        "tokenizer_config.json", "{\"chat_template\": [{\"name\": \"rag\", \"template\": \"\"}]}");
    assertThatThrownBy(() -> ChatTemplateFile.read(dir.toString(), CONF))
        .hasMessageEndingWith(
            "chat_template in tokenizer_config.json is neither a text nor a list with one called"
                + " default");
    write("tokenizer_config.json", "{\"chat_template\": \"a\\n{{ b\"}");
    assertThatThrownBy(() -> ChatTemplateFile.read(dir.toString(), CONF))
        .hasMessage("Cannot render the chat template, line 2: a tag does not end with }}");
  }

  private Tokenizer load() throws IOException {
    return Tokenizer.load(dir.toString(), CONF);
  }

  private void write(String name, String text) throws IOException {
    Files.writeString(dir.resolve(name), text);
  }
}
