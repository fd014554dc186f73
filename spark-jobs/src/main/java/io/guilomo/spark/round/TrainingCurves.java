package io.guilomo.spark.round;

import io.guilomo.network.PassResult;
import io.guilomo.spark.round.Rounds.Round;
import io.guilomo.spark.table.MetricsTable;
import io.guilomo.spark.table.MetricsTable.Moment;
import io.guilomo.spark.worker.WorkerRound;
import io.guilomo.training.TrainingStepResult;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What is measured of plain training steps: rows of {@code metrics}. */
public record TrainingCurves(MetricRows metrics) {

  /**
   * The steps of a round: of each worker and averaged over the workers.
   *
   * @return what to show of it: means over its steps and workers
   */
  public Map<String, Double> round(Round round, List<WorkerRound<TrainingStepResult>> workers) {
    Moment at = metrics.now(round.number(), round.firstStep());
    int steps = workers.get(0).steps().size();
    for (int i = 0; i < steps; i++) {
      int index = i;
      at = at.step(round.firstStep() + i);
      metrics.addAll(at, "learning_rate", workers, w -> w.steps().get(index).learningRate());
      metrics.addAll(at, "loss", workers, w -> training(w, index).taskLoss());
      metrics.addAll(at, "balance_loss", workers, w -> training(w, index).balanceLoss());
      metrics.addAll(at, "gradient_norm", workers, w -> w.steps().get(index).gradientNorm());
    }
    metrics.addAll(at, "tokens_per_second", workers, TrainingCurves::tokensPerSecond);
    metrics.addAll(at, "router_entropy", workers, TrainingCurves::routerEntropy);
    metrics.addAll(at, "expert_load_max", workers, TrainingCurves::busiestShare);
    metrics.addAll(at, MetricsTable.ACTIVE_EXPERTS, workers, TrainingCurves::activeExperts);
    metrics.addAll(at, "averaged_bytes", workers, WorkerRound::bytes);
    if (round.number() == 1) {
      metrics.weights(at, workers.get(0).weightErrors());
    }
    Map<String, Double> shown = new LinkedHashMap<>();
    shown.put(
        "train loss",
        workers.stream()
            .flatMap(worker -> worker.steps().stream())
            .mapToDouble(step -> step.training().taskLoss())
            .average()
            .orElseThrow());
    shown.put("tokens/s", workers.stream().mapToDouble(TrainingCurves::tokensPerSecond).sum());
    return shown;
  }

  private static PassResult training(WorkerRound<TrainingStepResult> worker, int step) {
    return worker.steps().get(step).training();
  }

  private static double tokensPerSecond(WorkerRound<TrainingStepResult> worker) {
    return worker.tokens() / worker.seconds();
  }

  /** Mean over the modules. */
  private static double routerEntropy(WorkerRound<TrainingStepResult> worker) {
    return worker.routerEntropy().values().stream()
        .mapToDouble(Double::doubleValue)
        .average()
        .orElse(0);
  }

  /** Mean over the modules of the experts that a token used. */
  private static double activeExperts(WorkerRound<TrainingStepResult> worker) {
    return worker.routedTokens().values().stream()
        .mapToDouble(counts -> activeExperts(worker, counts))
        .average()
        .orElse(0);
  }

  /**
   * Experts that a token of a round's last step used in one module.
   *
   * @param counts tokens that each expert got
   */
  public static double activeExperts(WorkerRound<TrainingStepResult> worker, long[] counts) {
    List<TrainingStepResult> steps = worker.steps();
    return (double) Arrays.stream(counts).sum() / steps.get(steps.size() - 1).tokens();
  }

  /** Mean over the modules of the share of (token, slot) pairs that went to the busiest expert. */
  private static double busiestShare(WorkerRound<TrainingStepResult> worker) {
    return worker.routedTokens().values().stream()
        .mapToDouble(
            counts ->
                (double) Arrays.stream(counts).max().orElse(0)
                    / Math.max(1, Arrays.stream(counts).sum()))
        .average()
        .orElse(0);
  }
}
