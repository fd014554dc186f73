package io.guilomo.spark.data.quickstart;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.guilomo.spark.data.quickstart.QuickstartData.LabelledSentence;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TestQuickstartData {

  @TempDir private Path dir;

  @Test
  void readsGlosses() throws IOException {
    String nouns =
        """
          1 This software is provided to you
        00001740 03 n 01 entity 0 000 | that which is perceived
        00001930 05 n 01 dog 0 000 | a member of the genus Canis; "the dog barked"
        00001931 05 n 01 cat 0 000 | feline mammal; has thick soft fur
        00001932 20 n 01 oak 0 000 | a deciduous tree
        00001933 20 n 01 elm 0 000 | another tree
        """;
    assertThat(GlossSentences.read(new BufferedReader(new StringReader(nouns)), 2))
        .extracting(LabelledSentence::sentence, LabelledSentence::label)
        .containsExactly(
            tuple("a member of the genus Canis", "noun.animal"),
            tuple("feline mammal; has thick soft fur", "noun.animal"),
            tuple("a deciduous tree", "noun.plant"),
            tuple("another tree", "noun.plant"));
    assertThatThrownBy(() -> GlossSentences.read(new BufferedReader(new StringReader(nouns)), 4))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Cannot choose 4 noun classes: expected 2 to 3");
    assertThatThrownBy(
            () -> GlossSentences.read(new BufferedReader(new StringReader("00001740 99 n | x")), 2))
        .hasMessage("Cannot read WordNet nouns: line 1 is no synset");
  }

  @Test
  void writesBalancedFilesThatShareNoGroup() throws IOException {
    List<LabelledSentence> sentences = new ArrayList<>();
    Map<String, String> groups = new HashMap<>();
    for (int i = 0; i < 400; i++) {
      String group = "rule " + i % 100;
      sentences.add(new LabelledSentence("sentence " + i, i % 3 == 0 ? "a" : "b", group));
      groups.put("sentence " + i, group);
    }
    sentences.add(new LabelledSentence("sentence 1", "b", "rule 1"));
    sentences.add(new LabelledSentence("sentence 2", "a", "rule 2"));
    Map<String, Integer> written =
        QuickstartData.write(sentences, dir, new QuickstartData.Sizes(101, 10, 0));
    assertThat(written)
        .containsEntry("train", 101)
        .containsEntry("validation", 10)
        .containsKey("test");

    Map<String, Set<String>> seen = new HashMap<>();
    for (String file : List.of("train", "validation", "test")) {
      Map<String, Integer> labels = new HashMap<>();
      for (String line : Files.readAllLines(dir.resolve(file + ".jsonl"))) {
        JsonNode record = new ObjectMapper().readTree(line);
        assertThat(record.size()).isEqualTo(2);
        assertThat(record.get("sentence").asText()).isNotEqualTo("sentence 2");
        labels.merge(record.get("label").asText(), 1, Integer::sum);
        seen.computeIfAbsent(file, name -> new HashSet<>())
            .add(groups.get(record.get("sentence").asText()));
      }
      if (file.equals("train")) {
        assertThat(Math.abs(labels.get("a") - labels.get("b"))).isEqualTo(1);
      }
    }
    assertThat(seen.get("train")).doesNotContainAnyElementsOf(seen.get("validation"));
    assertThat(seen.get("train")).doesNotContainAnyElementsOf(seen.get("test"));
    assertThat(seen.get("test")).doesNotContainAnyElementsOf(seen.get("validation"));
    String train = Files.readString(dir.resolve("train.jsonl"));
    QuickstartData.write(sentences.subList(0, 402), dir, new QuickstartData.Sizes(101, 10, 0));
    assertThat(Files.readString(dir.resolve("train.jsonl"))).isEqualTo(train);
  }

  @Test
  void refusesWhatIsNotThere() {
    assertThatThrownBy(() -> QuickstartData.glosses(dir, dir, 2, new QuickstartData.Sizes(1, 1, 1)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "Cannot read "
                + dir.resolve("net/sf/extjwnl/data/wordnet/wn31/data.noun")
                + ": there is no such file");
    assertThatThrownBy(
            () -> QuickstartData.write(List.of(), dir, new QuickstartData.Sizes(8, 1, 1)))
        .hasMessage("Cannot make train data of 8 records: there are 0");
  }
}
