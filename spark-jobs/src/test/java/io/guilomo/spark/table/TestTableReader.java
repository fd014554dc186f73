package io.guilomo.spark.table;

import static org.apache.spark.sql.functions.lit;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.model.LinearModule;
import io.guilomo.model.RoutingMethod;
import io.guilomo.plan.AllocationPlan;
import io.guilomo.plan.ExpertPlan;
import io.guilomo.plan.ModulePlan;
import io.guilomo.spark.SharedSparkSession;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.List;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructField;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TestTableReader {
  private final SparkSession spark = SharedSparkSession.session();
  private final AllocationPlan plan =
      new AllocationPlan(
          "guilomo",
          42,
          RoutingMethod.topK(3),
          16,
          false,
          List.of(
              new ModulePlan(
                  new LinearModule(0, "q_proj", 64, 32),
                  List.of(new ExpertPlan(3, 512), new ExpertPlan(8, 1L << 40))),
              new ModulePlan(
                  new LinearModule(1, "o_proj", 32, 64),
                  List.of(ExpertPlan.ofRank(1), ExpertPlan.ofRank(2), ExpertPlan.ofRank(4)),
                  List.of(7))));

  @TempDir Path dir;

  @Test
  void aTableThatIsNotThereHasItsColumnsAndNoRows() throws IOException {
    assertThat(reader().read(MetricsTable.INSTANCE).schema())
        .isEqualTo(MetricsTable.INSTANCE.schema());
    assertThat(reader().read(MetricsTable.INSTANCE).count()).isZero();
    Files.createDirectories(dir.resolve("tables/metrics/run_date=2026-03-02"));
    assertThat(reader().read(MetricsTable.INSTANCE).schema())
        .isEqualTo(MetricsTable.INSTANCE.schema());
    assertThat(reader().read(MetricsTable.INSTANCE, "r1").count()).isZero();
    assertThatIllegalArgumentException()
        .isThrownBy(() -> reader().read(MetricsTable.INSTANCE, "a'b"))
        .withMessageStartingWith("Cannot use run id 'a'b'");
  }

  @Test
  void planModules() {
    writer("007").replace(PlanModulesTable.INSTANCE, PlanModulesTable.rows(plan));
    Dataset<Row> rows = reader().read(PlanModulesTable.INSTANCE);
    assertThat(rows.schema()).isEqualTo(PlanModulesTable.INSTANCE.schema());
    assertThat(rows.orderBy("layer").collectAsList())
        .extracting(row -> row.mkString(" "))
        .containsExactly(
            "guilomo 42 0 q_proj 64 32 2 2 11 1184 1 2026-03-02 007",
            "guilomo 42 1 o_proj 32 64 3 3 7 768 1 2026-03-02 007");
    assertThat(rows.selectExpr("sum(parameters)").first().getLong(0)).isEqualTo(plan.parameters());
  }

  @Test
  void planExperts() {
    writer("007").replace(PlanExpertsTable.INSTANCE, PlanExpertsTable.rows(plan));
    Dataset<Row> rows = reader().read(PlanExpertsTable.INSTANCE, "007");
    assertThat(rows.orderBy("layer", "expert").collectAsList())
        .extracting(row -> row.mkString(" "))
        .startsWith(
            "guilomo 42 0 q_proj 0 3 16.0 " + 16.0 / 3 + " 512 352 1 2026-03-02 007",
            "guilomo 42 0 q_proj 1 8 16.0 2.0 1099511627776 832 1 2026-03-02 007")
        .hasSize(5);
    assertThat(rows.selectExpr("sum(parameters)").first().getLong(0)).isEqualTo(plan.parameters());
  }

  @Test
  void aRunIsReadWhateverTheOthersHave() throws IOException {
    for (String run : List.of("r1", "r1.a", "r1.b", "other")) {
      writer(run).replace(PlanModulesTable.INSTANCE, PlanModulesTable.rows(plan));
    }
    // Spark cannot read a table with partitions of two depths.
    Path deeper = dir.resolve("tables/plan_modules/run_date=2026-03-02/run_id=other/deeper=1");
    Files.write(Files.createDirectories(deeper).resolve("rows.parquet"), new byte[] {1});
    assertThatThrownBy(() -> reader().read(PlanModulesTable.INSTANCE).count())
        .hasMessageContaining("Conflicting partition column names");
    assertThat(reader().read(PlanModulesTable.INSTANCE, "r1").collectAsList())
        .extracting(row -> row.<String>getAs(Table.RUN_ID))
        .containsExactly("r1", "r1");
    assertThat(
            reader()
                .read(PlanModulesTable.INSTANCE, run -> run.startsWith("r1."))
                .select(Table.RUN_ID)
                .distinct()
                .orderBy(Table.RUN_ID)
                .collectAsList())
        .extracting(Row::mkString)
        .containsExactly("r1.a", "r1.b");
    assertThat(reader().read(PlanModulesTable.INSTANCE, "none").schema())
        .isEqualTo(PlanModulesTable.INSTANCE.schema());
  }

  @Test
  void namesOfRunsAreTextBesideColumnsOfTheRecordsToo() {
    List<String> runs = List.of("007", "1.10", "20260105");
    for (String run : runs) {
      predict(run, "SELECT 1 AS score");
    }
    // Its dataset is made of the merged columns, or of those of each run where they differ.
    assertThat(predicted("score")).containsExactly("007 1", "1.10 1", "20260105 1");
    predict("1e3", "SELECT 'high' AS score");
    assertThat(predicted("score")).containsExactly("007 1", "1.10 1", "1e3 high", "20260105 1");
  }

  private void predict(String run, String record) {
    Dataset<Row> rows = spark.sql(record);
    for (StructField own : PredictionsTable.INSTANCE.columns().fields()) {
      rows = rows.withColumn(own.name(), lit(null).cast(own.dataType()));
    }
    writer(run).replaceWithInputColumns(PredictionsTable.INSTANCE, rows);
  }

  private List<String> predicted(String column) {
    Dataset<Row> all = reader().readAll(PredictionsTable.INSTANCE);
    assertThat(all.schema().apply(Table.RUN_ID).dataType()).isEqualTo(DataTypes.StringType);
    assertThat(all.schema().apply(Table.RUN_DATE).dataType()).isEqualTo(DataTypes.DateType);
    return all.orderBy(Table.RUN_ID).collectAsList().stream()
        .map(row -> row.getAs(Table.RUN_ID) + " " + row.getAs(column))
        .toList();
  }

  @Test
  void sqlReadsTheFilesWithoutThisProject() {
    writer("r1").replace(PlanExpertsTable.INSTANCE, PlanExpertsTable.rows(plan));
    writer("r2").replace(PlanExpertsTable.INSTANCE, PlanExpertsTable.rows(plan));
    String location = dir.resolve("tables/plan_experts").toUri().toString();
    String query =
        "SELECT run_id, sum(rank) FROM %s WHERE run_date = DATE'2026-03-02' GROUP BY 1 ORDER BY 1";
    spark.sql(
        "CREATE OR REPLACE TEMPORARY VIEW plans_view USING parquet OPTIONS (path '"
            + location
            + "')");
    assertThat(spark.sql(String.format(query, "plans_view")).collectAsList())
        .extracting(Row::mkString)
        .containsExactly("r118", "r218");

    // A table's catalog has to be told of partitions, unless
    // spark.sql.hive.manageFilesourcePartitions is false.
    spark.sql("DROP TABLE IF EXISTS plans");
    spark.sql("CREATE TABLE plans USING parquet LOCATION '" + location + "'");
    spark.sql("MSCK REPAIR TABLE plans");
    try {
      assertThat(spark.table("plans").schema()).isEqualTo(PlanExpertsTable.INSTANCE.schema());
      assertThat(spark.sql(String.format(query, "plans")).collectAsList())
          .extracting(Row::mkString)
          .containsExactly("r118", "r218");
    } finally {
      spark.sql("DROP TABLE plans");
    }
  }

  @Test
  void columnsThatAnOlderReleaseDidNotWriteAreNull() {
    String partition = dir.resolve("tables/plan_experts/run_date=2025-01-01/run_id=old").toString();
    spark
        .sql(
            "SELECT 'guilomo' AS strategy, 5 AS rank, 'x' AS of_a_later_release, 0 AS schema_version")
        .write()
        .parquet(partition);
    writer("r1").replace(PlanExpertsTable.INSTANCE, PlanExpertsTable.rows(plan));
    Row old = reader().read(PlanExpertsTable.INSTANCE, "old").first();
    assertThat(old.schema()).isEqualTo(PlanExpertsTable.INSTANCE.schema());
    assertThat(old.mkString(" "))
        .isEqualTo("guilomo null null null null 5 null null null null 0 2025-01-01 old");
    assertThat(reader().read(PlanExpertsTable.INSTANCE).count()).isEqualTo(6);
  }

  private TableWriter writer(String runId) {
    return new TableWriter(
        spark, dir.toString(), new JobRun(runId, LocalDate.of(2026, 3, 2), "allocate"));
  }

  private TableReader reader() {
    return new TableReader(spark, dir.toString());
  }
}
