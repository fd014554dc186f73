package io.guilomo.spark.search;

import static io.guilomo.spark.round.MetricRows.TRAIN;
import static io.guilomo.spark.round.MetricRows.VALIDATION;

import io.guilomo.config.SearchConfig.Estimator;
import io.guilomo.model.CountDistribution;
import io.guilomo.model.ModuleExperts;
import io.guilomo.network.PassResult;
import io.guilomo.plan.GuidedSelection;
import io.guilomo.search.SearchStepResult;
import io.guilomo.spark.round.MetricRows;
import io.guilomo.spark.round.Rounds.Round;
import io.guilomo.spark.table.BufferedRows;
import io.guilomo.spark.table.GsvHistoryTable;
import io.guilomo.spark.table.MetricsTable;
import io.guilomo.spark.table.MetricsTable.Moment;
import io.guilomo.spark.table.RoundAppender;
import io.guilomo.spark.worker.WorkerRound;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/** What is measured during a search: rows of {@code metrics} and {@code gsv_history}. */
final class SearchCurves {

  private final long seed;
  private final Estimator estimator;
  private final MetricRows metrics;
  private final BufferedRows<GsvHistoryTable.Entry> history;

  SearchCurves(
      RoundAppender<MetricsTable.Metric> metrics,
      RoundAppender<GsvHistoryTable.Entry> history,
      long seed,
      Estimator estimator) {
    this.seed = seed;
    this.estimator = estimator;
    this.metrics = new MetricRows(metrics, AllocateJob.NAME, seed);
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
    int chosen = chosen(kind, vector);
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
              i == chosen));
    }
  }

  /** What the vector chooses at the moment: the largest entry, or the median of a distribution. */
  private int chosen(String kind, float[] vector) {
    if (estimator == Estimator.EXPECTED) {
      int least =
          kind.equals(GsvHistoryTable.EXPERTS) ? ModuleExperts.minExperts(vector.length) : 1;
      return new CountDistribution(vector, 0, vector.length, least).median() - 1;
    }
    int largest = 0;
    for (int i = 1; i < vector.length; i++) {
      largest = vector[i] > vector[largest] ? i : largest;
    }
    return largest;
  }

  MetricRows metrics() {
    return metrics;
  }

  /**
   * The steps of a round.
   *
   * @return what to show of it: means over its steps and workers
   */
  Map<String, Double> round(Round round, List<WorkerRound<SearchStepResult>> workers) {
    Moment at = metrics.now(round.number(), round.firstStep());
    int steps = workers.get(0).steps().size();
    for (int i = 0; i < steps; i++) {
      int index = i;
      at = at.step(round.firstStep() + i);
      for (WorkerRound<SearchStepResult> worker : workers) {
        addStep(at, worker.worker(), worker.steps().get(index));
      }
      List<SearchStepResult> all =
          workers.stream().map(worker -> worker.steps().get(index)).toList();
      addMean(at, TRAIN, "loss", all, result -> result.training().taskLoss());
      addMean(at, VALIDATION, "batch_loss", all, result -> result.validation().taskLoss());
    }
    metrics.addAll(at, "averaged_bytes", workers, WorkerRound::bytes);
    if (round.number() == 1) {
      metrics.weights(at, workers.get(0).weightErrors());
    }
    List<SearchStepResult> all =
        workers.stream().flatMap(worker -> worker.steps().stream()).toList();
    Map<String, Double> shown = new LinkedHashMap<>();
    shown.put("train loss", mean(all, result -> result.training().taskLoss()));
    shown.put("validation loss", mean(all, result -> result.validation().taskLoss()));
    return shown;
  }

  /**
   * How the plan changed in a round.
   *
   * @param spared steps that need not be done, as the search ends here; 0 if it does not
   * @return what to show of it
   */
  Map<String, Double> plan(Round round, PlanStability stability, long spared) {
    Moment at = metrics.now(round.number(), round.endStep() - 1);
    metrics.add(at, MetricsTable.ALL_WORKERS, TRAIN, "plan_change", stability.change());
    if (spared > 0) {
      metrics.add(at, MetricsTable.ALL_WORKERS, TRAIN, MetricsTable.SPARED_STEPS, spared);
    }
    return Map.of("plan change", stability.change());
  }

  /** What the search has cost, at its last round. */
  void cost(Round last, double seconds) {
    metrics.add(
        metrics.now(last.number(), last.endStep()),
        MetricsTable.ALL_WORKERS,
        TRAIN,
        MetricsTable.SEARCH_SECONDS,
        seconds);
  }

  private void addStep(Moment at, int worker, SearchStepResult result) {
    PassResult training = result.training();
    metrics.add(at, worker, TRAIN, "loss", training.taskLoss());
    metrics.add(at, worker, TRAIN, "balance_loss", training.balanceLoss());
    metrics.add(at, worker, TRAIN, "learning_rate", result.learningRate());
    metrics.add(at, worker, TRAIN, "gradient_norm", result.gradientNorm());
    metrics.add(at, worker, TRAIN, "moved_choices", result.movedChoices());
    metrics.add(at, worker, VALIDATION, "batch_loss", result.validation().taskLoss());
    metrics.add(at, worker, VALIDATION, "gradient_norm", result.validationGradientNorm());
  }

  private void addMean(
      Moment at,
      String split,
      String name,
      List<SearchStepResult> results,
      ToDoubleFunction<SearchStepResult> value) {
    metrics.add(at, MetricsTable.ALL_WORKERS, split, name, mean(results, value));
  }

  private static double mean(
      List<SearchStepResult> results, ToDoubleFunction<SearchStepResult> value) {
    return results.stream().mapToDouble(value).average().orElseThrow();
  }

  void write(long round, boolean now) {
    metrics.write(round, now);
    history.write(round, now);
  }
}
