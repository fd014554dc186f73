package io.guilomo.spark.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.guilomo.model.UserException;
import io.guilomo.spark.SharedSparkSession;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.Test;

/** What {@code sql --format} prints. */
class TestRowFormat {

  private static final String ROWS =
      """
      SELECT * FROM VALUES
        (1, 'plain', 0.5D, map('a', 1)),
        (2, 'a "quoted", word', 1e-9D, map()),
        (3, 'ä\\\\b', NULL, NULL),
        (4, NULL, 2D, map('b', NULL)),
        (5, '', 3D, NULL),
        (6, 'two\\nlines', 4D, NULL)
      AS t(id, `the text`, value, counts) ORDER BY id
      """;

  @Test
  void csvIsQuotedAsOtherProgramsReadIt() {
    assertThat(print(RowFormat.CSV, ROWS))
        .isEqualTo(
            """
            id,"the text",value,counts
            1,plain,0.5,"{""a"":1}"
            2,"a ""quoted"", word",1.0E-9,{}
            3,ä\\b,,
            4,,2.0,"{""b"":null}"
            5,"",3.0,
            6,"two
            lines",4.0,
            """);
  }

  @Test
  void csvReadsBackAsItWas() {
    Dataset<String> lines =
        SharedSparkSession.session()
            .createDataset(
                List.of(print(RowFormat.CSV, ROWS + " LIMIT 4").split("\n")), Encoders.STRING());
    Dataset<Row> read =
        SharedSparkSession.session()
            .read()
            .option("header", true)
            .option("escape", "\"")
            .csv(lines);
    assertThat(read.select("the text").collectAsList())
        .extracting(row -> row.getString(0))
        .containsExactly("plain", "a \"quoted\", word", "ä\\b", null);
  }

  @Test
  void jsonHasAnObjectALine() throws IOException {
    List<String> lines = print(RowFormat.JSON, ROWS).lines().toList();
    assertThat(lines).hasSize(6);
    assertThat(lines.get(0))
        .isEqualTo("{\"id\":1,\"the text\":\"plain\",\"value\":0.5,\"counts\":{\"a\":1}}");
    JsonNode quoted = new ObjectMapper().readTree(lines.get(1));
    assertThat(quoted.get("the text").asText()).isEqualTo("a \"quoted\", word");
    JsonNode absent = new ObjectMapper().readTree(lines.get(2));
    assertThat(absent.get("the text").asText()).isEqualTo("ä\\b");
    assertThat(absent.get("value").isNull()).isTrue();
    assertThat(absent.get("counts").isNull()).isTrue();
    assertThat(new ObjectMapper().readTree(lines.get(5)).get("the text").asText())
        .isEqualTo("two\nlines");
  }

  @Test
  void aTableKeepsEachRowOnItsLine() {
    assertThat(print(RowFormat.TABLE, ROWS).lines())
        .hasSize(11)
        .contains(
            "|id |the text        |value |counts     |",
            "|3  |ä\\b             |NULL  |NULL       |")
        .anyMatch(line -> line.contains("two\\nlines"));
  }

  @Test
  void aQueryWithoutRowsPrintsItsColumns() {
    String none = "SELECT 1 AS a, 'x' AS `b,c` WHERE false";
    assertThat(print(RowFormat.CSV, none)).isEqualTo("a,\"b,c\"\n");
    assertThat(print(RowFormat.JSON, none)).isEmpty();
    assertThat(print(RowFormat.TABLE, none)).contains("|a  |b,c|");
  }

  @Test
  void csvKeepsSpaces() {
    assertThat(print(RowFormat.CSV, "SELECT '  a ' AS x, ' ' AS y, array(' b ') AS z"))
        .isEqualTo("x,y,z\n  a , ,\"[\"\" b \"\"]\"\n");
  }

  /** As a join of two tables has them. */
  @Test
  void columnsMayHaveOneName() {
    String twice = "SELECT 1 AS a, array('x') AS a, 3 AS A";
    assertThat(print(RowFormat.CSV, twice)).isEqualTo("a,a,A\n1,\"[\"\"x\"\"]\",3\n");
    assertThat(print(RowFormat.TABLE, twice)).contains("|1  |[x]|3  |");
    assertThatThrownBy(() -> print(RowFormat.JSON, twice))
        .isInstanceOf(UserException.class)
        .hasMessage(
            "Cannot print rows as JSON: two columns are called a; give one another name with AS");
    assertThat(print(RowFormat.JSON, "SELECT 1 AS a, 2 AS A, 3 AS `b.c`"))
        .isEqualTo("{\"a\":1,\"A\":2,\"b.c\":3}\n");
  }

  private static String print(RowFormat format, String query) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    format.print(
        SharedSparkSession.session().sql(query),
        new PrintStream(bytes, true, StandardCharsets.UTF_8));
    return bytes.toString(StandardCharsets.UTF_8);
  }
}
