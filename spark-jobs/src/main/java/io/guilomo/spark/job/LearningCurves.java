package io.guilomo.spark.job;

import io.guilomo.network.PassResult;
import io.guilomo.plan.GuidedSelection;
import io.guilomo.search.SearchStepResult;
import io.guilomo.spark.table.BufferedRows;
import io.guilomo.spark.table.GsvHistoryTable;
import io.guilomo.spark.table.MetricsTable;
import io.guilomo.spark.table.RoundAppender;
import io.guilomo.spark.training.ValidationLoss;
import io.guilomo.spark.training.WorkerRound;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/** What is measured while a search goes: rows of {@code metrics} and {@code gsv_history}. */
final class LearningCurves {

  private final long seed;
  private final BufferedRows<MetricsTable.Metric> metrics;
  private final BufferedRows<GsvHistoryTable.Entry> history;

  LearningCurves(
      RoundAppender<MetricsTable.Metric> metrics,
      RoundAppender<GsvHistoryTable.Entry> history,
      long seed) {
    this.seed = seed;
    this.metrics = new BufferedRows<>(metrics, seed);
    this.history = new BufferedRows<>(history, seed);
  }

  /** The GSVs after {@code round} rounds. */
  void gsvs(long round, List<GuidedSelection> selections) {
    for (GuidedSelection selection : selections) {
      addVector(round, selection, GsvHistoryTable.EXPERTS, null, selection.expertVector());
      for (int expert = 0; expert < selection.rankVectors().length; expert++) {
        addVector(round, selection, GsvHistoryTable.RANK, expert, selection.rankVectors()[expert]);
      }
    }
  }

  private void addVector(
      long round, GuidedSelection selection, String kind, Integer expert, float[] vector) {
    int argmax = 0;
    for (int i = 1; i < vector.length; i++) {
      argmax = vector[i] > vector[argmax] ? i : argmax;
    }
    for (int i = 0; i < vector.length; i++) {
      history.add(
          new GsvHistoryTable.Entry(
              seed,
              round,
              selection.module().layer(),
              selection.module().name(),
              kind,
              expert,
              i,
              vector[i],
              i == argmax));
    }
  }

  /** Loss and accuracy over all validation records after {@code step} steps. */
  void validation(long round, long step, ValidationLoss.Measured measured) {
    Instant now = Instant.now();
    add(round, step, MetricsTable.ALL_WORKERS, "validation", "loss", measured.loss(), now);
    add(round, step, MetricsTable.ALL_WORKERS, "validation", "accuracy", measured.accuracy(), now);
  }

  /**
   * The steps of a round.
   *
   * @return what to show of it: means over its steps and workers
   */
  Map<String, Double> round(
      long round, long firstStep, List<WorkerRound<SearchStepResult>> workers) {
    Instant now = Instant.now();
    int steps = workers.get(0).steps().size();
    for (int i = 0; i < steps; i++) {
      int step = i;
      for (WorkerRound<SearchStepResult> worker : workers) {
        addStep(round, firstStep + step, worker.worker(), worker.steps().get(step), now);
      }
      List<SearchStepResult> all =
          workers.stream().map(worker -> worker.steps().get(step)).toList();
      addMean(round, firstStep + step, "train", "loss", all, r -> r.training().taskLoss(), now);
      addMean(
          round,
          firstStep + step,
          "validation",
          "batch_loss",
          all,
          r -> r.validation().taskLoss(),
          now);
    }
    for (WorkerRound<SearchStepResult> worker : workers) {
      add(
          round,
          firstStep + steps - 1,
          worker.worker(),
          "train",
          "averaged_bytes",
          worker.bytes(),
          now);
    }
    add(
        round,
        firstStep + steps - 1,
        MetricsTable.ALL_WORKERS,
        "train",
        "averaged_bytes",
        workers.get(0).bytes(),
        now);
    List<SearchStepResult> all =
        workers.stream().flatMap(worker -> worker.steps().stream()).toList();
    Map<String, Double> shown = new LinkedHashMap<>();
    shown.put("train loss", mean(all, r -> r.training().taskLoss()));
    shown.put("validation loss", mean(all, r -> r.validation().taskLoss()));
    return shown;
  }

  private void addStep(long round, long step, int worker, SearchStepResult result, Instant now) {
    PassResult training = result.training();
    add(round, step, worker, "train", "loss", training.taskLoss(), now);
    add(round, step, worker, "train", "balance_loss", training.balanceLoss(), now);
    add(round, step, worker, "train", "learning_rate", result.learningRate(), now);
    add(round, step, worker, "train", "gradient_norm", result.gradientNorm(), now);
    add(round, step, worker, "train", "moved_choices", result.movedChoices(), now);
    add(round, step, worker, "validation", "batch_loss", result.validation().taskLoss(), now);
    add(round, step, worker, "validation", "gradient_norm", result.validationGradientNorm(), now);
  }

  private void addMean(
      long round,
      long step,
      String split,
      String name,
      List<SearchStepResult> results,
      ToDoubleFunction<SearchStepResult> value,
      Instant now) {
    add(round, step, MetricsTable.ALL_WORKERS, split, name, mean(results, value), now);
  }

  private static double mean(
      List<SearchStepResult> results, ToDoubleFunction<SearchStepResult> value) {
    return results.stream().mapToDouble(value).average().orElseThrow();
  }

  private void add(
      long round, long step, int worker, String split, String name, double value, Instant at) {
    MetricsTable.Moment moment = new MetricsTable.Moment(AllocateJob.NAME, seed, round, step, at);
    metrics.add(new MetricsTable.Metric(moment, worker, split, name, value));
  }

  /** Writes what has gathered, if it is time. */
  void flush(long round) {
    metrics.flush(round);
    history.flush(round);
  }

  /** Writes what has gathered. */
  void write(long round) {
    metrics.write(round);
    history.write(round);
  }
}
