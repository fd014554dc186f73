package io.guilomo.spark.data;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.data.Example;
import io.guilomo.data.LabelSet;
import io.guilomo.data.PromptTemplate;
import io.guilomo.data.RecordParser;
import io.guilomo.data.Split;
import io.guilomo.data.TextRecord;
import io.guilomo.model.RecordSource;
import io.guilomo.model.Task;
import io.guilomo.spark.SharedSparkSession;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TestShardedData {

  private static final Split TENTH = new Split(0.1);

  private final SparkSession spark = SharedSparkSession.session();

  @TempDir private Path dir;

  @Test
  void shardsDependOnTheRecordsAlone() throws IOException {
    List<String> lines = lines(200);
    ShardedData data = load(write("a.jsonl", lines), 3);
    List<Shard> shards = data.shards().collect();
    assertThat(data.shards().getNumPartitions()).isEqualTo(3);
    assertThat(shards).extracting(Shard::index).containsExactly(0, 1, 2);

    Collections.shuffle(lines, new Random(5));
    Path parquet = dir.resolve("a.parquet");
    spark
        .read()
        .json(write("b.jsonl", lines).toString())
        .repartition(7)
        .write()
        .parquet(parquet.toString());
    assertThat(describe(load(parquet, 3).shards().collect())).isEqualTo(describe(shards));
  }

  @Test
  void dealsExamplesInTheOrderOfTheirDigests() throws IOException {
    List<Shard> shards = load(write("a.jsonl", lines(200)), 3).shards().collect();
    List<Integer> expected =
        IntStream.range(0, 200)
            .mapToObj(TestShardedData::record)
            .filter(record -> !TENTH.holdsOut(record))
            .sorted((a, b) -> a.digest().compareTo(b.digest()))
            .map(record -> new HashEncoder().encodeBare(record.text())[1])
            .toList();
    for (int i = 0; i < expected.size(); i++) {
      assertThat(shards.get(i % 3).train()[i / 3].tokens()[2]).isEqualTo(expected.get(i));
    }
  }

  @Test
  void countsEverything() throws IOException {
    List<String> lines = lines(198);
    lines.add("{\"sentence\": \"broken\"");
    lines.add("{\"sentence\": \"" + "long ".repeat(40) + "\", \"label\": \"yes\"}");
    ShardedData data = load(write("a.jsonl", lines), 2);
    long held =
        IntStream.range(0, 198).mapToObj(TestShardedData::record).filter(TENTH::holdsOut).count();
    assertThat(data.report().read()).isEqualTo(200);
    assertThat(data.report().bad()).isEqualTo(1);
    assertThat(data.report().truncated()).isEqualTo(1);
    assertThat(data.report().train() + data.report().validation()).isEqualTo(199);
    assertThat(data.report().validation()).isBetween(held, held + 1);
    assertThat(data.report().longest()).isEqualTo(16);
    assertThat(data.report().samples().get(0).toString())
        .startsWith(dir.resolve("a.jsonl") + ":199: malformed JSON: ")
        .endsWith(": {\"sentence\": \"broken\"");
    assertThat(data.labels()).contains(new LabelSet(List.of("no", "yes")));
  }

  @Test
  void keepsDuplicatesOnOneSide() throws IOException {
    List<String> lines = lines(100);
    lines.addAll(lines(100));
    List<Shard> shards = load(write("a.jsonl", lines), 2).shards().collect();
    List<String> train = tokens(shards, true);
    assertThat(train).doesNotContainAnyElementsOf(tokens(shards, false));
    assertThat(train.size() % 2).isZero();
  }

  @Test
  void readsValidationFromItsOwnPath() throws IOException {
    Path train = write("train.jsonl", lines(40));
    Path validation = write("validation.jsonl", lines(60).subList(40, 60));
    ShardedData data =
        ShardedData.load(
            spark,
            source(train, Optional.of(validation.toString()), Task.CLASSIFICATION),
            encoding(),
            2);
    assertThat(data.report().train()).isEqualTo(40);
    assertThat(data.report().validation()).isEqualTo(20);

    Path unknown = write("unknown.jsonl", List.of("{\"sentence\": \"a\", \"label\": \"maybe\"}"));
    assertThatThrownBy(
            () ->
                ShardedData.load(
                    spark,
                    source(train, Optional.of(unknown.toString()), Task.CLASSIFICATION),
                    encoding(),
                    2))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith(
            "Cannot read " + unknown + ": 1 of 1 records are bad (limit 0): first: " + unknown)
        .hasMessageContaining(":1: Cannot use label maybe: expected one of [no, yes]: ");
  }

  @Test
  void leavesOutWhatIsToValidateOn() throws IOException {
    List<String> lines = lines(40);
    lines.addAll(lines(10));
    Path train = write("train.jsonl", lines);
    // As other JSON, and one that differs in its label alone.
    List<String> both = new ArrayList<>(lines(60).subList(35, 60));
    both.replaceAll(line -> line.replace(": ", ":  "));
    both.add(lines(1).get(0).replace("yes", "no"));
    both.addAll(lines(5));
    Path validation = write("validation.jsonl", both);
    ShardedData data = load(train, validation, 2);
    // 35 to 39 once each, 0 to 4 twice.
    assertThat(data.report().repeated()).isEqualTo(15);
    assertThat(data.report().train()).isEqualTo(35);
    assertThat(data.report().validation()).isEqualTo(31);
    assertThat(data.report().read()).isEqualTo(81);
    List<Shard> shards = data.shards().collect();
    assertThat(describe(shards)).isEqualTo(describe(load(train, validation, 2).shards().collect()));
    List<Integer> expected =
        IntStream.concat(IntStream.range(5, 35), IntStream.range(5, 10))
            .mapToObj(i -> new HashEncoder().encodeBare(record(i).text())[1])
            .toList();
    assertThat(shards.stream().flatMap(shard -> Arrays.stream(shard.train())))
        .extracting(example -> example.tokens()[2])
        .containsExactlyInAnyOrderElementsOf(expected);

    assertThatThrownBy(() -> load(write("few.jsonl", lines(41)), write("all.jsonl", lines(40)), 2))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "Cannot shard 1 training records over 2 workers: each needs at least one; 40 others are"
                + " left out because data.validation has them too");
  }

  @Test
  void shardsInstructions() throws IOException {
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < 30; i++) {
      lines.add("{\"instruction\": \"say " + i + "\", \"output\": \"word " + i + "\"}");
    }
    ShardedData.Encoding encoding =
        new ShardedData.Encoding(
            HashEncoder.factory(), 64, false, PromptTemplate.alpaca(), Optional.empty());
    DataSource source =
        new DataSource(
            RecordSource.path(write("i.jsonl", lines).toString()),
            Optional.empty(),
            new Split(0.3),
            Optional.empty(),
            Optional.empty(),
            UTF_8,
            new RecordParser(Task.CAUSAL_LM, Map.of()),
            0);
    ShardedData data = ShardedData.load(spark, source, encoding, 2);
    assertThat(data.labels()).isEmpty();
    assertThat(data.report().train() + data.report().validation()).isEqualTo(30);
    Example example = data.shards().first().train()[0];
    assertThat(Arrays.stream(example.labels()).filter(label -> label >= 0).count()).isEqualTo(3);
    assertThat(example.labels()[example.length() - 1]).isEqualTo(2);
  }

  @Test
  void makesOneTokenizerForAJvm() throws IOException {
    load(write("a.jsonl", lines(60)), 2);
    int created = HashEncoder.CREATED.get();
    load(write("b.jsonl", lines(80)), 3);
    assertThat(HashEncoder.CREATED.get()).isEqualTo(created);
  }

  @Test
  void refusesTooFewAndTooBad() throws IOException {
    Path three = write("three.jsonl", lines(3));
    Path many = write("many.jsonl", lines(60).subList(3, 60));
    assertThatThrownBy(
            () ->
                ShardedData.load(
                    spark,
                    source(three, Optional.of(many.toString()), Task.CLASSIFICATION),
                    encoding(),
                    4))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Cannot shard 3 training records over 4 workers: each needs at least one");
    assertThatThrownBy(
            () ->
                ShardedData.load(
                    spark,
                    source(many, Optional.of(three.toString()), Task.CLASSIFICATION),
                    encoding(),
                    4))
        .hasMessage("Cannot shard 3 validation records over 4 workers: each needs at least one");

    List<String> lines = lines(183);
    IntStream.range(0, 17).forEach(i -> lines.add("not JSON " + i));
    Path bad = write("bad.jsonl", lines);
    assertThatThrownBy(() -> load(bad, 2))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith(
            "Cannot read "
                + bad
                + ": 17 of 200 records are bad (limit 2): first: "
                + bad
                + ":184: malformed JSON: ");

    Path empty = write("empty.jsonl", List.of());
    assertThatThrownBy(() -> load(empty, 2))
        .hasMessage("Cannot read " + empty + ": it contains no records");
    assertThatThrownBy(() -> source(bad, Optional.of(bad.toString()), Task.CLASSIFICATION))
        .hasMessage(
            "Cannot validate on the training data "
                + bad
                + ": name other records, or none to hold some out");
    assertThatThrownBy(() -> load(bad, 0))
        .hasMessage("Cannot shard over 0 workers: expected at least 1");
  }

  private ShardedData load(Path path, int workers) {
    return ShardedData.load(
        spark, source(path, Optional.empty(), Task.CLASSIFICATION), encoding(), workers);
  }

  private ShardedData load(Path train, Path validation, int workers) {
    return ShardedData.load(
        spark,
        source(train, Optional.of(validation.toString()), Task.CLASSIFICATION),
        encoding(),
        workers);
  }

  private static DataSource source(Path train, Optional<String> validation, Task task) {
    return new DataSource(
        RecordSource.path(train.toString()),
        validation.map(RecordSource::path),
        TENTH,
        Optional.empty(),
        Optional.empty(),
        UTF_8,
        new RecordParser(task, Map.of()),
        0.01);
  }

  private static ShardedData.Encoding encoding() {
    return new ShardedData.Encoding(HashEncoder.factory(), 16, false, null, Optional.empty());
  }

  private static TextRecord.Sentence record(int i) {
    return new TextRecord.Sentence("sentence number" + i, i % 3 == 0 ? "yes" : "no");
  }

  private static List<String> lines(int records) {
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < records; i++) {
      lines.add(
          String.format(
              "{\"sentence\": \"%s\", \"label\": \"%s\"}", record(i).text(), record(i).label()));
    }
    return lines;
  }

  private Path write(String name, List<String> lines) throws IOException {
    return Files.write(dir.resolve(name), lines);
  }

  private static List<String> describe(List<Shard> shards) {
    List<String> all = new ArrayList<>();
    for (Shard shard : shards) {
      all.add("shard " + shard.index());
      for (Example[] part : List.of(shard.train(), shard.validation())) {
        all.add("part");
        for (Example example : part) {
          all.add(Arrays.toString(example.tokens()) + Arrays.toString(example.labels()));
        }
      }
    }
    return all;
  }

  private static List<String> tokens(List<Shard> shards, boolean train) {
    return shards.stream()
        .flatMap(shard -> Arrays.stream(train ? shard.train() : shard.validation()))
        .map(example -> Arrays.toString(example.tokens()))
        .toList();
  }
}
