package io.guilomo.spark.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.spark.SharedSparkSession;
import io.guilomo.spark.data.RecordReader;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TestPredicting {

  @Test
  void columnsOfTheRecordsAreKept() {
    assertThat(PredictJob.schema(rows("1 AS id, 'a' AS Sentence")).fieldNames())
        .containsExactly("id", "Sentence", "prediction", "probabilities", "generated");
  }

  @ParameterizedTest
  @ValueSource(strings = {"prediction", "Prediction", "GENERATED", "Run_Id"})
  void aColumnOfTheTablesOwnIsRefusedInAnyCase(String name) {
    assertThatThrownBy(() -> PredictJob.schema(rows("1 AS id, 'a' AS " + name)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "Cannot keep column "
                + name
                + ": table predictions has a column of that name; rename it");
  }

  /** Before any record is read. */
  @ParameterizedTest
  @CsvSource({"NULL, void", "array(), array<void>", "make_interval(1), interval"})
  void aColumnThatNoFileCanHoldIsRefused(String value, String type) {
    assertThatThrownBy(() -> PredictJob.schema(rows("1 AS id, " + value + " AS label")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "Cannot keep column label of type "
                + type
                + ": Parquet has no such type; cast it to another, such as string, or leave it out");
    assertThat(
            PredictJob.schema(rows("CAST(NULL AS STRING) AS label, map('a', 1.5D) AS other"))
                .fieldNames())
        .startsWith("label", "other");
  }

  private static Dataset<Row> rows(String columns) {
    return SharedSparkSession.session().sql("SELECT " + columns + ", '{}' AS " + RecordReader.JSON);
  }
}
