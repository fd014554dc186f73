package io.guilomo.spark.ml;

import static io.guilomo.spark.ml.SmallClassifier.rows;
import static io.guilomo.spark.ml.SmallClassifier.session;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.model.UserException;
import io.guilomo.spark.evaluate.ModelPool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.streaming.Trigger;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The functions that {@link GuilomoExtensions} adds, which the session of the tests has. */
class TestScoringFunctions {

  private static String adapter;
  private static List<String> expected;

  @TempDir private Path directory;

  @BeforeAll
  static void train() throws IOException {
    adapter = SmallClassifier.shared().adapter();
    rows(30, 9).createOrReplaceTempView("texts");
    GuilomoClassificationModel model = new GuilomoClassificationModel("same", adapter);
    expected =
        model.transform(rows(30, 9)).orderBy("id").select("prediction").collectAsList().stream()
            .map(row -> model.labels().get((int) row.getDouble(0)))
            .toList();
  }

  @Test
  void scoresAColumn() {
    long opened = ModelPool.SHARED.opened();
    Dataset<Row> scored =
        sql(
            "SELECT id, guilomo_predict('%1$s', text) AS label,"
                + " guilomo_probabilities('%1$s', text) AS p FROM texts ORDER BY id");
    assertThat(scored.queryExecution().executedPlan().toString())
        .as("one batch for both functions")
        .containsOnlyOnce("ScoreTexts [");
    assertThat(labels(scored)).isEqualTo(expected);
    for (Row row : scored.collectAsList()) {
      Map<String, Double> p = row.getJavaMap(2);
      assertThat(p).containsOnlyKeys("animal", "plant", "stone");
      assertThat(p.values()).allMatch(value -> value <= p.get(row.getString(1)));
    }
    assertThat(ModelPool.SHARED.opened() - opened)
        .as("one for each task that runs at the same time")
        .isLessThanOrEqualTo(2);
  }

  @Test
  void scoresWhereverAnExpressionMayBe() {
    assertThat(
            labels(
                sql(
                    "SELECT id, any_value(guilomo_predict('%1$s', text)) FROM texts"
                        + " GROUP BY id ORDER BY id")))
        .isEqualTo(expected);
    long animals = expected.stream().filter("animal"::equals).count();
    Dataset<Row> filtered =
        sql("SELECT * FROM texts WHERE guilomo_predict('%1$s', text) = 'animal'");
    assertThat(filtered.columns()).containsExactly("id", "text", "kind");
    assertThat(filtered.count()).isEqualTo(animals);
    Dataset<Row> pushed =
        sql(
            "SELECT * FROM (SELECT id, guilomo_predict('%1$s', text) AS label FROM texts)"
                + " WHERE label = 'animal'");
    assertThat(pushed.queryExecution().optimizedPlan().toString())
        .as("scored once, then filtered")
        .containsOnlyOnce("guilomo_predict(text");
    assertThat(pushed.count()).isEqualTo(animals);
    assertThat(pushed.as("a").join(pushed.as("b"), "id").count()).isEqualTo(animals);
    assertThat(
            labels(
                sql(
                    "SELECT id, transform(array(text), t -> guilomo_predict('%1$s', t))[0]"
                        + " FROM texts ORDER BY id")))
        .as("row by row")
        .isEqualTo(expected);
  }

  @Test
  void scoresWhatAQueryGroupsBy() {
    assertThat(sql("SELECT text, guilomo_predict('%1$s', text) FROM texts GROUP BY text").count())
        .isEqualTo(session().table("texts").select("text").distinct().count());
    assertThat(
            labels(
                sql(
                    "SELECT id, any_value(guilomo_predict('%1$s', text)), count(*) FROM texts"
                        + " GROUP BY id ORDER BY id, min(guilomo_predict('%1$s', text))")))
        .isEqualTo(expected);
    assertThat(
            sql("SELECT text, guilomo_predict('%1$s', text) FROM texts GROUP BY ROLLUP(text)")
                .filter("text IS NULL")
                .count())
        .isEqualTo(1);
    assertThat(
            sql("SELECT upper(guilomo_predict('%1$s', text)), count(*) FROM texts"
                    + " GROUP BY guilomo_predict('%1$s', text)")
                .count())
        .isEqualTo(expected.stream().distinct().count());
  }

  @Test
  void scoresOnlyWhatAQueryNeeds() {
    Dataset<Row> filtered =
        sql(
            "SELECT id FROM (SELECT *, guilomo_probabilities('%1$s', text) AS p FROM texts)"
                + " WHERE kind <> 'plant' AND guilomo_predict('%1$s', text) = 'animal'");
    String plan = filtered.queryExecution().optimizedPlan().toString();
    assertThat(plan).containsOnlyOnce("ScoreTexts [").doesNotContain("guilomo_probabilities");
    assertThat(plan.substring(0, plan.indexOf("ScoreTexts ["))).doesNotContain("plant");
    assertThat(filtered.count())
        .isEqualTo(
            IntStream.range(0, expected.size())
                .filter(id -> id % 3 != 1 && expected.get(id).equals("animal"))
                .count());
    assertThat(
            sql("SELECT id FROM (SELECT id, guilomo_predict('%1$s', text) FROM texts)")
                .queryExecution()
                .optimizedPlan()
                .toString())
        .doesNotContain("guilomo_predict");
    Dataset<Row> branch =
        sql(
            "SELECT id, CASE WHEN id < 2 THEN guilomo_predict('%1$s', text) ELSE 'none' END"
                + " FROM texts ORDER BY id");
    assertThat(branch.queryExecution().optimizedPlan().toString()).doesNotContain("ScoreTexts");
    assertThat(labels(branch).subList(0, 3))
        .containsExactly(expected.get(0), expected.get(1), "none");
  }

  @Test
  void aTextThatIsNullOrBlankHasNoLabel() {
    Row row =
        sql("SELECT guilomo_predict('%1$s', NULL), guilomo_predict('%1$s', ' '),"
                + " guilomo_predict('%1$s', 'w7', NULL) = guilomo_predict('%1$s', 'w7'),"
                + " guilomo_probabilities('%1$s', CAST(NULL AS STRING))")
            .first();
    assertThat(row.isNullAt(0)).isTrue();
    assertThat(row.isNullAt(1)).isTrue();
    assertThat(row.getBoolean(2)).isTrue();
    assertThat(row.isNullAt(3)).isTrue();
  }

  @Test
  void scoresAStream() throws Exception {
    Path source = Files.createDirectory(directory.resolve("source"));
    Dataset<String> texts =
        rows(30, 9).orderBy("id").select("text").as(Encoders.STRING()).coalesce(1);
    List<String> lines = texts.collectAsList();
    Files.write(source.resolve("a.txt"), lines.subList(0, 10));
    Files.write(source.resolve("b.txt"), lines.subList(10, 30));
    session()
        .readStream()
        .option("maxFilesPerTrigger", "1")
        .text(source.toString())
        .selectExpr("value", "guilomo_predict('" + adapter + "', value) AS label")
        .writeStream()
        .format("memory")
        .queryName("scored")
        .option("checkpointLocation", directory.resolve("checkpoint").toString())
        .trigger(Trigger.AvailableNow())
        .start()
        .awaitTermination();
    List<Row> scored = session().table("scored").collectAsList();
    assertThat(scored).hasSize(30);
    for (Row row : scored) {
      assertThat(row.getString(1)).isEqualTo(expected.get(lines.indexOf(row.getString(0))));
    }
    GuilomoClassificationModel model = new GuilomoClassificationModel("stream", adapter);
    assertThat(
            model
                .setTextCol("value")
                .transform(session().readStream().text(source.toString()))
                .isStreaming())
        .isTrue();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "guilomo_predict('ADAPTER') | Cannot call guilomo_predict with 1 arguments: expected an adapter's directory, a text and, for a classifier of pairs, a second text",
        "guilomo_predict(text, text) | Cannot call guilomo_predict with the adapter texts.text: expected the name of a directory as a literal",
        "guilomo_predict('', text) | Cannot call guilomo_predict with the adapter '': expected the name of a directory",
        "guilomo_probabilities('ADAPTER', id) | Cannot call guilomo_probabilities with the text texts.id, which is INT: expected a string",
        "guilomo_predict('/none', text) | Cannot read the adapter /none: it has no manifest.json, so it is not an adapter or not a complete one",
      })
  void saysWhatCannotBeCalled(String call, String message) {
    assertThatThrownBy(() -> sql("SELECT " + call.replace("ADAPTER", "%1$s") + " FROM texts"))
        .isInstanceOf(UserException.class)
        .hasMessage(message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "evaluate.batch-sizes | 3 | did you mean guilomo.evaluate.batch-size?",
        "evaluate.uncertainty | laplace | Cannot predict with guilomo.evaluate.uncertainty = laplace here: one adapter"
            + " answers; command predict asks several",
      })
  void settingsOfTheSessionAreKeys(String key, String value, String message) {
    session().conf().set("spark.guilomo." + key, value);
    try {
      assertThatThrownBy(() -> sql("SELECT guilomo_predict('%1$s', text) FROM texts"))
          .isInstanceOf(UserException.class)
          .hasMessageContaining(message);
    } finally {
      session().conf().unset("spark.guilomo." + key);
    }
  }

  @Test
  void isDescribed() {
    assertThat(session().sql("DESCRIBE FUNCTION guilomo_predict").collectAsList().toString())
        .contains("guilomo_predict(adapter, text [, text2]) - The label");
  }

  private static Dataset<Row> sql(String query) {
    return session().sql(query.formatted(adapter));
  }

  private static List<String> labels(Dataset<Row> scored) {
    return scored.collectAsList().stream().map(row -> row.getString(1)).toList();
  }
}
