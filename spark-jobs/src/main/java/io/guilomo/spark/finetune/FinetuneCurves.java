package io.guilomo.spark.finetune;

import io.guilomo.model.LinearModule;
import io.guilomo.spark.round.MetricRows;
import io.guilomo.spark.round.Rounds.Round;
import io.guilomo.spark.round.TrainingCurves;
import io.guilomo.spark.table.MetricsTable;
import io.guilomo.spark.table.MetricsTable.Metric;
import io.guilomo.spark.table.MetricsTable.Moment;
import io.guilomo.spark.table.RoundAppender;
import io.guilomo.spark.worker.WorkerRound;
import io.guilomo.training.TrainingStepResult;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** What is measured during fine-tuning: rows of {@code metrics}. */
final class FinetuneCurves {

  private final MetricRows metrics;

  FinetuneCurves(RoundAppender<Metric> table, long seed) {
    this.metrics = new MetricRows(table, FinetuneJob.NAME, seed);
  }

  MetricRows metrics() {
    return metrics;
  }

  /** The steps of a round; returns what to show of it. */
  Map<String, Double> round(Round round, List<WorkerRound<TrainingStepResult>> workers) {
    return new TrainingCurves(metrics).round(round, workers);
  }

  /**
   * Load of every expert, entropy of every router, and how many experts a token used, in the last
   * step of a round: of each worker and of all.
   */
  void routers(Round round, List<WorkerRound<TrainingStepResult>> workers) {
    Moment at = metrics.now(round.number(), round.endStep() - 1);
    for (LinearModule module : workers.get(0).routedTokens().keySet()) {
      long[] all = new long[workers.get(0).routedTokens().get(module).length];
      double entropies = 0;
      double actives = 0;
      for (WorkerRound<TrainingStepResult> worker : workers) {
        long[] routed = worker.routedTokens().get(module);
        Arrays.setAll(all, e -> all[e] + routed[e]);
        double entropy = worker.routerEntropy().get(module);
        double active = TrainingCurves.activeExperts(worker, routed);
        router(at, worker.worker(), module, routed, entropy, active);
        entropies += entropy / workers.size();
        actives += active / workers.size();
      }
      router(at, MetricsTable.ALL_WORKERS, module, all, entropies, actives);
    }
  }

  /** Metrics of one module, as its router sent a worker's tokens. */
  private void router(
      Moment at, int worker, LinearModule module, long[] routed, double entropy, double active) {
    long all = Math.max(1, Arrays.stream(routed).sum());
    for (int e = 0; e < routed.length; e++) {
      double load = (double) routed[e] / all;
      metrics.addOf(at, worker, module, e, MetricsTable.EXPERT_LOAD, load);
    }
    metrics.addOf(at, worker, module, null, "router_entropy", entropy);
    metrics.addOf(at, worker, module, null, MetricsTable.ACTIVE_EXPERTS, active);
  }

  void write(long round, boolean now) {
    metrics.write(round, now);
  }
}
