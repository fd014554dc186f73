package io.guilomo.spark.report;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.data.DataReport;
import io.guilomo.spark.SharedSparkSession;
import io.guilomo.spark.table.ComparisonTable;
import io.guilomo.spark.table.EvaluationsTable;
import io.guilomo.spark.table.GsvHistoryTable;
import io.guilomo.spark.table.JobRun;
import io.guilomo.spark.table.MetricsTable;
import io.guilomo.spark.table.PlanExpertsTable;
import io.guilomo.spark.table.PlanModulesTable;
import io.guilomo.spark.table.RunsTable;
import io.guilomo.spark.table.TableWriter;
import java.nio.file.Path;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;

/** Writes the tables of a made-up run of one job, those that a test asks for. */
public final class SampleRun {

  static final Instant START = Instant.parse("2026-01-02T10:00:00Z");

  private final TableWriter writer;

  public SampleRun(Path output, String runId) {
    this.writer =
        new TableWriter(
            SharedSparkSession.session(),
            output.toString(),
            new JobRun(runId, LocalDate.of(2026, 1, 2), "allocate"));
  }

  /**
   * A job with the published estimator, whose vectors the samples are.
   *
   * @param minutes after which it began
   * @param data null for none
   */
  public SampleRun run(long minutes, DataReport data, String... settings) {
    return run("SUCCEEDED", minutes, data, settings);
  }

  SampleRun run(String status, long minutes, DataReport data, String... settings) {
    Instant start = START.plusSeconds(60 * minutes);
    writer.replace(
        RunsTable.INSTANCE,
        List.of(
            new RunsTable.Run(
                new RunsTable.Execution(
                    "allocate", status, start, start.plusSeconds(205), 2, "1.0"),
                new RunsTable.Inputs(
                    42,
                    "guilomo",
                    "/models/small",
                    "abc",
                    "/data/train",
                    GuilomoConfig.load(null, List.of("search.estimator=straight-through"))
                        .with(List.of(settings))
                        .asJson()),
                data)));
    return this;
  }

  /** A plan whose layer 1 has the most experts; every expert has its number from 1 as its rank. */
  SampleRun plan(int layers, List<String> modules) {
    List<PlanModulesTable.PlannedModule> rows = new ArrayList<>();
    List<PlanExpertsTable.PlannedExpert> experts = new ArrayList<>();
    for (int layer = 0; layer < layers; layer++) {
      for (String module : modules) {
        int count = layer == 1 ? 4 : 2;
        int rank = count * (count + 1) / 2;
        rows.add(
            new PlanModulesTable.PlannedModule(
                "guilomo", 42, layer, module, 10, 20, count, 2, rank, 100));
        for (int e = 0; e < count; e++) {
          experts.add(
              new PlanExpertsTable.PlannedExpert(
                  "guilomo", 42, layer, module, e, e + 1, 16, 16.0 / (e + 1), 10L * (e + 1), 10));
        }
      }
    }
    writer.replace(PlanModulesTable.INSTANCE, rows);
    writer.replace(PlanExpertsTable.INSTANCE, experts);
    return this;
  }

  /** Plans of two seeds that agree on one of two modules, and their consensus. */
  SampleRun consensus() {
    List<PlanModulesTable.PlannedModule> rows = new ArrayList<>();
    for (int layer = 0; layer < 2; layer++) {
      rows.add(planned("guilomo", 1, layer, 3));
      rows.add(planned("guilomo", 2, layer, layer == 0 ? 3 : 7));
      rows.add(planned("consensus", 42, layer, 3));
    }
    writer.replace(PlanModulesTable.INSTANCE, rows);
    return this;
  }

  private static PlanModulesTable.PlannedModule planned(
      String strategy, long seed, int layer, int experts) {
    return new PlanModulesTable.PlannedModule(
        strategy, seed, layer, "query", 10, 20, experts, 2, 2L * experts, 100);
  }

  /** A search of one module: from three experts to two, its one rank vector stays at rank 1. */
  SampleRun search(int rounds) {
    writer.replace(GsvHistoryTable.INSTANCE, entries(42, 1, rounds));
    return this;
  }

  /** A search of one module that can have one expert. */
  SampleRun searchOfOneExpert() {
    writer.replace(
        GsvHistoryTable.INSTANCE,
        entries(42, 1, 2).stream()
            .filter(entry -> entry.kind().equals("rank") || entry.index() == 0)
            .map(
                entry ->
                    new GsvHistoryTable.Entry(
                        entry.seed(),
                        entry.round(),
                        entry.layer(),
                        entry.module(),
                        entry.kind(),
                        entry.expert(),
                        entry.index(),
                        entry.value(),
                        entry.index() == 0))
            .toList());
    return this;
  }

  /** Searches of seeds 7 and 42, the second with more rounds, each of modules like that. */
  SampleRun searches(int layers, int rounds, int moreRounds) {
    List<GsvHistoryTable.Entry> rows = new ArrayList<>(entries(7, layers, rounds));
    rows.addAll(entries(42, layers, moreRounds));
    writer.replace(GsvHistoryTable.INSTANCE, rows);
    return this;
  }

  private static List<GsvHistoryTable.Entry> entries(long seed, int layers, int rounds) {
    List<GsvHistoryTable.Entry> rows = new ArrayList<>();
    for (int layer = 0; layer < layers; layer++) {
      for (int round = 0; round <= rounds; round++) {
        int chosen = round < rounds ? 2 : 1;
        for (int i = 0; i < 3; i++) {
          double experts = i == chosen ? 0.5 : 0.25;
          double rank = i == 0 ? 0.5 : 0.25;
          rows.add(
              new GsvHistoryTable.Entry(
                  seed, round, layer, "query", "experts", null, i, experts, i == chosen));
          rows.add(
              new GsvHistoryTable.Entry(seed, round, layer, "query", "rank", 0, i, rank, i == 0));
        }
      }
    }
    return rows;
  }

  /** A training loss that falls from 1 to 0, and the load of two experts of one module. */
  SampleRun training(int steps) {
    List<MetricsTable.Metric> rows = new ArrayList<>();
    for (int step = 0; step < steps; step++) {
      double loss = 1 - (double) step / (steps - 1);
      rows.add(
          new MetricsTable.Metric(
              new MetricsTable.Moment("allocate", 42, 1, step, START),
              MetricsTable.ALL_WORKERS,
              "train",
              "loss",
              loss));
    }
    rows.addAll(loads(42, steps));
    writer.replace(MetricsTable.INSTANCE, rows);
    return this;
  }

  /** Of two experts, one that gets nearly all tokens. */
  private static List<MetricsTable.Metric> loads(long seed, long step) {
    List<MetricsTable.Metric> rows = new ArrayList<>();
    for (int e = 0; e < 2; e++) {
      rows.add(
          new MetricsTable.Metric(
              new MetricsTable.Moment("allocate", seed, 1, step, START),
              MetricsTable.ALL_WORKERS,
              "train",
              "expert_load",
              e == 0 ? 0.995 : 0.005,
              new MetricsTable.Part(0, "query", e)));
    }
    return rows;
  }

  /** The loads of two seeds, the experts of each alike. */
  SampleRun loadsOfTwoSeeds() {
    List<MetricsTable.Metric> rows = new ArrayList<>(loads(42, 5));
    rows.addAll(loads(43, 5));
    writer.replace(MetricsTable.INSTANCE, rows);
    return this;
  }

  SampleRun evaluation() {
    writer.replace(
        EvaluationsTable.INSTANCE,
        List.of(
            new EvaluationsTable.Evaluation(
                42, "guilomo", "test", "accuracy", 0.7135, 0.6717, 0.7534, 527),
            new EvaluationsTable.Evaluation(42, "guilomo", "test", "loss", 2.5, 2.25, 2.75, 527)));
    return this;
  }

  /** The learned plan beats the uniform one by 0.01 to 0.03, the random one does not. */
  SampleRun comparison() {
    writer.replace(
        ComparisonTable.INSTANCE,
        List.of(
            compared("uniform", 0.70, null, null, null),
            compared("guilomo", 0.72, 0.02, 0.01, 0.03),
            compared("random", 0.71, 0.01, -0.01, 0.03)));
    return this;
  }

  private static ComparisonTable.Compared compared(
      String strategy, double mean, Double difference, Double low, Double high) {
    return new ComparisonTable.Compared(
        "t",
        strategy,
        "top-k",
        "none",
        3,
        "accuracy",
        new ComparisonTable.Score(mean, 0.005, null, null),
        difference == null
            ? null
            : new ComparisonTable.Difference(difference, low, high, null, null),
        new ComparisonTable.Size(1000, null, null),
        new ComparisonTable.Cost(60, null, null),
        null,
        null);
  }
}
