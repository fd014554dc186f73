package io.guilomo.io;

import static org.assertj.core.api.Assertions.assertThat;

import io.guilomo.golden.GoldenFiles;
import io.guilomo.golden.TokenizerDirectories;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Collectors;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Token ids and decoded texts of 300 lines of our own and 700 of real training data are those of
 * another implementation, the JavaScript one in {@code @lenml/tokenizers} 3.7.2. Its ids of our
 * lines are in {@code tokenizers/NAME-ids.txt}, digests of the ids and of the decoded text of every
 * line in {@code tokenizers/NAME-digests.txt}.
 */
class TestPublishedTokenizers {

  private static final int OWN = 300;

  /** The files of which lines are taken, and how many, after the first. */
  private static final List<String> FILES =
      List.of(
          "gsm8k/train.jsonl 150",
          "commonsenseqa/train_rand_split.jsonl 100",
          "mrpc/msr_paraphrase_train.txt 100",
          "cola/in_domain_dev.tsv 50",
          "rte/train.tsv 100",
          "arc_challenge/ARC-Challenge-Dev.jsonl 50",
          "openbookqa/dev.jsonl 50",
          "scienceqa_mola_sample/train.jsonl 50",
          "trec/train_5500.label 50");

  @ParameterizedTest
  @ValueSource(strings = {"llama2", "llama3", "qwen3"})
  void encodesOwnLines(String name) throws Exception {
    compare(name, resource("lines.txt"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"llama2", "llama3", "qwen3"})
  void encodesRealData(String name) throws Exception {
    List<String> lines = resource("lines.txt");
    for (String file : FILES) {
      String[] parts = file.split(" ");
      byte[] bytes = Files.readAllBytes(GoldenFiles.data().resolve(parts[0]));
      Arrays.stream(new String(bytes, StandardCharsets.UTF_8).split("\n"))
          .skip(1)
          .limit(Integer.parseInt(parts[1]))
          .map(line -> line.replaceFirst("\r+$", ""))
          .forEach(lines::add);
    }
    assertThat(lines).hasSize(1000);
    compare(name, lines);
  }

  private static void compare(String name, List<String> lines) throws Exception {
    Path folder = TokenizerDirectories.require(name);
    List<String> ids = resource(name + "-ids.txt");
    List<String> digests = resource(name + "-digests.txt");
    List<String> differing = new ArrayList<>();
    try (Tokenizer tokenizer = Tokenizer.load(folder.toString(), new Configuration())) {
      for (int i = 0; i < lines.size(); i++) {
        int[] tokens = tokenizer.encode(lines.get(i));
        String found =
            Arrays.stream(tokens).mapToObj(String::valueOf).collect(Collectors.joining(" "));
        if (i < OWN) {
          assertThat(found).as(lines.get(i)).isEqualTo(ids.get(i));
        }
        if (!digests.get(i).equals(digest(found) + " " + digest(tokenizer.decode(tokens)))) {
          differing.add(lines.get(i));
        }
      }
    }
    assertThat(differing).isEmpty();
  }

  private static String digest(String text) throws Exception {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes), 0, 8);
  }

  private static List<String> resource(String file) throws IOException {
    try (InputStream in =
        TestPublishedTokenizers.class.getResourceAsStream("/tokenizers/" + file)) {
      String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
      return new ArrayList<>(List.of(text.split("\n")));
    }
  }
}
