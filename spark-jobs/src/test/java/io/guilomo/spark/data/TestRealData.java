package io.guilomo.spark.data;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.guilomo.data.RecordParser;
import io.guilomo.data.Split;
import io.guilomo.data.TextRecord;
import io.guilomo.model.RecordSource;
import io.guilomo.model.Task;
import io.guilomo.spark.SharedSparkSession;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/** The data sets that the method is evaluated on, in the files that their authors publish. */
class TestRealData {

  private static final Map<String, String> COLA = Map.of("sentence", "_c3", "label", "_c1");

  @Test
  void cola() {
    List<ReadRecord> records =
        read("cola/in_domain_train.tsv", Task.CLASSIFICATION, Optional.empty(), COLA);
    assertThat(records).hasSize(8551);
    assertThat(records.get(0).record())
        .isEqualTo(
            new TextRecord.Sentence(
                "Our friends won't buy this analysis, let alone the next one we propose.", "1"));
  }

  @Test
  void mrpc() {
    List<ReadRecord> records =
        read(
            "mrpc/msr_paraphrase_train.txt",
            Task.CLASSIFICATION,
            Optional.of(DataFormat.TSV),
            Map.of("label", "Quality", "sentence", "#1 String", "sentence2", "#2 String"));
    assertThat(records).hasSize(4076);
    assertThat(records.get(4075).record())
        .isEqualTo(
            new TextRecord.SentencePair(
                "The 30-year bond US30YT=RR rose 22/32 for a yield of 4.31 percent, versus 4.35 percent at"
                    + " Wednesday's close.",
                "The 30-year bond US30YT=RR grew 1-3/32 for a yield of 4.30 percent, down from 4.35 percent late"
                    + " Wednesday.",
                "0"));
  }

  @Test
  void rte() {
    List<ReadRecord> records =
        read("rte/train.tsv", Task.CLASSIFICATION, Optional.empty(), Map.of());
    assertThat(records).hasSize(2490);
    assertThat(records.get(0).record())
        .isEqualTo(
            new TextRecord.SentencePair(
                "No Weapons of Mass Destruction Found in Iraq Yet.",
                "Weapons of Mass Destruction Found in Iraq.",
                "not_entailment"));
  }

  @Test
  void scienceQa() throws IOException {
    ObjectMapper json = new ObjectMapper();
    for (String part : List.of("train", "validation")) {
      List<ReadRecord> records =
          read(
              "scienceqa_mola_sample/" + part + ".jsonl",
              Task.MULTIPLE_CHOICE,
              Optional.empty(),
              Map.of());
      assertThat(records).hasSize(200);
      for (ReadRecord record : records) {
        // The file holds the authors' own text of each question.
        JsonNode authors = json.readTree(record.json());
        TextRecord.Instruction ours = ((TextRecord.MultipleChoice) record.record()).toInstruction();
        assertThat(ours.instruction()).isEqualTo(authors.get("instruction").asText());
        assertThat(ours.output()).isEqualTo(authors.get("output").asText());
        assertThat(ours.answer()).isEqualTo(authors.get("answer").asText());
      }
    }
  }

  @Test
  void questionsOfAi2() {
    List<ReadRecord> arc =
        read(
            "arc_challenge/ARC-Challenge-Train.jsonl",
            Task.MULTIPLE_CHOICE,
            Optional.empty(),
            Map.of());
    assertThat(arc).hasSize(1119);
    assertThat(((TextRecord.MultipleChoice) arc.get(0).record()).toInstruction())
        .isEqualTo(
            new TextRecord.Instruction(
                "Question: George wants to warm his hands quickly by rubbing them. Which skin surface will produce the"
                    + " most heat?\nOptions: (A) dry palms (B) wet palms (C) palms covered with oil (D) palms covered"
                    + " with lotion\n",
                "",
                "Answer: The answer is A.",
                "A"));
    // Twenty-three of them number their choices.
    assertThat(arc)
        .allMatch(
            record -> ((TextRecord.MultipleChoice) record.record()).letter().matches("[A-E]"));
    assertThat(read("openbookqa/train.jsonl", Task.MULTIPLE_CHOICE, Optional.empty(), Map.of()))
        .hasSize(4957);
    List<ReadRecord> commonsense =
        read(
            "commonsenseqa/train_rand_split.jsonl",
            Task.MULTIPLE_CHOICE,
            Optional.empty(),
            Map.of());
    assertThat(commonsense).hasSize(9741);
    assertThat(((TextRecord.MultipleChoice) commonsense.get(1).record()).choices().get(2))
        .isEqualTo(new TextRecord.Choice("C", "the desert"));
  }

  @Test
  void gsm8k() {
    List<ReadRecord> records =
        read(
            "gsm8k/train.jsonl",
            Task.CAUSAL_LM,
            Optional.empty(),
            Map.of("instruction", "question", "output", "answer"));
    assertThat(records).hasSize(7473);
    assertThat(((TextRecord.Instruction) records.get(0).record()).output()).endsWith("\n#### 72");
  }

  @Test
  void shardsCola() {
    DataSource source =
        new DataSource(
            RecordSource.path(file("cola/in_domain_train.tsv").toString()),
            Optional.of(RecordSource.path(file("cola/in_domain_dev.tsv").toString())),
            new Split(0),
            Optional.empty(),
            Optional.empty(),
            UTF_8,
            new RecordParser(Task.CLASSIFICATION, COLA),
            0);
    ShardedData data =
        ShardedData.load(
            SharedSparkSession.session(),
            source,
            new ShardedData.Encoding(HashEncoder.factory(), 64, false, null, Optional.empty()),
            2);
    assertThat(data.report().train()).isEqualTo(8547);
    // Four sentences of the development set are in the training set.
    assertThat(data.report().repeated()).isEqualTo(4);
    assertThat(data.report().validation()).isEqualTo(527);
    assertThat(data.labels().orElseThrow().labels()).containsExactly("0", "1");
    assertThat(data.shards().map(shard -> shard.train().length).collect())
        .containsExactly(4274, 4273);
    assertThat(data.shards().map(shard -> shard.validation().length).collect())
        .containsExactly(264, 263);
  }

  private static List<ReadRecord> read(
      String name, Task task, Optional<DataFormat> format, Map<String, String> columns) {
    List<ReadRecord> records =
        new RecordReader(
                SharedSparkSession.session(), new RecordParser(task, columns), format, UTF_8)
            .read(RecordSource.path(file(name).toString()), true)
            .collect();
    assertThat(records).allMatch(record -> !record.isBad());
    return records;
  }

  private static Path file(String name) {
    Path file =
        Path.of(System.getProperty("guilomo.golden", "../../shared/golden"))
            .resolve("../data/" + name);
    Assumptions.assumeTrue(Files.exists(file), "no data at " + file);
    return file.normalize();
  }
}
