package io.guilomo.spark.table;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.guilomo.spark.SharedSparkSession;
import io.guilomo.spark.table.MetricsTable.Metric;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TestRoundAppender {
  private static final LocalDate MONDAY = LocalDate.of(2026, 3, 2);

  private final SparkSession spark = SharedSparkSession.session();

  @TempDir Path dir;

  @Test
  void roundsCanBeReadWhileTheRunGoes() {
    RoundAppender<Metric> metrics = writer(MONDAY, "allocate").begin(MetricsTable.INSTANCE);
    assertThat(rows()).isEmpty();
    metrics.append(7, 0, List.of(metric("allocate", 7, 0, 0.5), metric("allocate", 7, 0, 0.6)));
    assertThat(rows()).containsExactly("7,0,0.5", "7,0,0.6");
    metrics.append(7, 1, List.of(metric("allocate", 7, 1, 0.4)));
    metrics.append(8, 0, List.of(metric("allocate", 8, 0, 0.9)));
    assertThat(rows()).containsExactly("7,0,0.5", "7,0,0.6", "7,1,0.4", "8,0,0.9");
    assertThat(files())
        .containsExactly(
            "allocate-seed-7-round-00000000.parquet",
            "allocate-seed-7-round-00000001.parquet",
            "allocate-seed-8-round-00000000.parquet");
  }

  @Test
  void aRoundThatIsWrittenAgainReplacesItsRows() {
    RoundAppender<Metric> metrics = writer(MONDAY, "allocate").begin(MetricsTable.INSTANCE);
    metrics.append(7, 3, List.of(metric("allocate", 7, 3, 0.5), metric("allocate", 7, 3, 0.6)));
    metrics.append(7, 3, List.of(metric("allocate", 7, 3, 0.1)));
    assertThat(rows()).containsExactly("7,3,0.1");
  }

  @Test
  void beginRemovesTheRunsRowsOfAllDatesAndLeavesOtherJobs() {
    writer(MONDAY, "allocate")
        .begin(MetricsTable.INSTANCE)
        .append(7, 5, List.of(metric("allocate", 7, 5, 0.5)));
    writer(MONDAY, "finetune")
        .begin(MetricsTable.INSTANCE)
        .append(7, 0, List.of(metric("finetune", 7, 0, 2)));
    new TableWriter(spark, dir.toString(), new JobRun("other", MONDAY, "allocate"))
        .begin(MetricsTable.INSTANCE)
        .append(7, 0, List.of(metric("allocate", 7, 0, 3)));
    writer(MONDAY.plusDays(1), "allocate")
        .begin(MetricsTable.INSTANCE)
        .append(7, 0, List.of(metric("allocate", 7, 0, 0.1)));
    assertThat(rows()).containsExactly("7,0,0.1", "7,0,2.0", "7,0,3.0");
  }

  @Test
  void resumeKeepsTheRoundsOfTheCheckpoint() {
    RoundAppender<Metric> metrics = writer(MONDAY, "allocate").begin(MetricsTable.INSTANCE);
    for (int round = 0; round < 4; round++) {
      metrics.append(7, round, List.of(metric("allocate", 7, round, round)));
      metrics.append(8, round, List.of(metric("allocate", 8, round, round)));
    }
    RoundAppender<Metric> resumed =
        writer(MONDAY.plusDays(1), "allocate")
            .resume(MetricsTable.INSTANCE, Map.of(7L, 3L, 8L, 1L));
    assertThat(rows())
        .containsExactly("7,0,0.0", "7,1,1.0", "7,2,2.0", "7,3,3.0", "8,0,0.0", "8,1,1.0");
    resumed.append(8, 2, List.of(metric("allocate", 8, 2, 20)));
    assertThat(rows()).hasSize(7).endsWith("8,2,20.0");
    assertThatIllegalStateException()
        .isThrownBy(() -> resumed.append(8, 1, List.of()))
        .withMessage("Cannot append round 1 of seed 8 to table metrics: the next is 2");
  }

  @Test
  void finishMergesTheFiles() {
    RoundAppender<Metric> metrics = writer(MONDAY, "allocate").begin(MetricsTable.INSTANCE);
    for (int round = 0; round < 3; round++) {
      metrics.append(7, round, List.of(metric("allocate", 7, round, round)));
    }
    metrics.finish();
    assertThat(files()).singleElement().asString().startsWith("allocate-part-00000-");
    assertThat(rows()).containsExactly("7,0,0.0", "7,1,1.0", "7,2,2.0");
  }

  /** The driver is killed while the files of all rounds are replaced by one. */
  @ParameterizedTest
  @ValueSource(ints = {0, 1, 3})
  void aMergeDuringWhichTheJobDiedLosesNothing(int moved) throws IOException {
    RoundAppender<Metric> metrics = writer(MONDAY, "allocate").begin(MetricsTable.INSTANCE);
    for (int round = 0; round < 3; round++) {
      metrics.append(7, round, List.of(metric("allocate", 7, round, round)));
    }
    Path table = dir.resolve("tables/metrics");
    String partition = "run_date=2026-03-02/run_id=r1";
    String id = "01234567-89ab-cdef-0123-456789abcdef";
    Path temporary = table.resolve("_temporary-r1-allocate-" + id);
    List<String> earlier = files();
    Path sample = table.resolve(partition).resolve(earlier.get(0));
    Files.createDirectories(temporary.resolve("new"));
    // Of two new files the second is not in place yet.
    Files.copy(sample, temporary.resolve("new/part-00001-x.parquet"));
    if (moved == 3) {
      Files.copy(
          sample, table.resolve(partition).resolve("allocate-part-00000-" + id + ".parquet"));
    }
    Path aside = Files.createDirectories(temporary.resolve("earlier").resolve(partition));
    for (String file : earlier.subList(0, moved)) {
      Files.move(table.resolve(partition).resolve(file), aside.resolve(file));
    }
    RoundAppender<Metric> resumed =
        writer(MONDAY.plusDays(1), "allocate").resume(MetricsTable.INSTANCE, Map.of(7L, 2L));
    assertThat(rows()).containsExactly("7,0,0.0", "7,1,1.0", "7,2,2.0");
    resumed.append(7, 3, List.of(metric("allocate", 7, 3, 3)));
    resumed.finish();
    assertThat(rows()).containsExactly("7,0,0.0", "7,1,1.0", "7,2,2.0", "7,3,3.0");
    assertThat(temporary).doesNotExist();
  }

  @Test
  void finishOfAnEmptyTableIsFine() {
    writer(MONDAY, "allocate").begin(MetricsTable.INSTANCE).finish();
    writer(MONDAY, "allocate").begin(GsvHistoryTable.INSTANCE).finish();
    assertThat(rows()).isEmpty();
  }

  @Test
  void aRoundIsCheapToWrite() {
    RoundAppender<Metric> metrics = writer(MONDAY, "allocate").begin(MetricsTable.INSTANCE);
    long best = Long.MAX_VALUE;
    for (int round = 0; round < 12; round++) {
      long start = System.nanoTime();
      metrics.append(7, round, List.of(metric("allocate", 7, round, round)));
      best = Math.min(best, System.nanoTime() - start);
    }
    System.out.printf("a round of metrics was written in %.3f s at best%n", best / 1e9);
    assertThat(rows()).hasSize(12);
    // A warm write takes about 0.1 s; a machine that is shared may be far slower.
    assertThat(best / 1e9).isLessThan(2);
  }

  private static Metric metric(String job, long seed, long round, double value) {
    return new Metric(
        new MetricsTable.Moment(job, seed, round, round * 10, Instant.EPOCH),
        MetricsTable.ALL_WORKERS,
        "train",
        "loss",
        value);
  }

  private TableWriter writer(LocalDate date, String job) {
    return new TableWriter(spark, dir.toString(), new JobRun("r1", date, job));
  }

  private List<String> rows() {
    return new TableReader(spark, dir.toString())
            .read(MetricsTable.INSTANCE)
            .orderBy("seed", "round", "value")
            .select("seed", "round", "value")
            .collectAsList()
            .stream()
            .map((Row row) -> row.mkString(","))
            .toList();
  }

  private List<String> files() {
    try (Stream<Path> files = Files.walk(dir.resolve("tables/metrics"))) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> name.endsWith(".parquet"))
          .sorted()
          .toList();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
