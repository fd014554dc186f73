package io.guilomo.spark.job;

import io.guilomo.model.LinearModule;
import io.guilomo.network.PassResult;
import io.guilomo.spark.table.BufferedRows;
import io.guilomo.spark.table.MetricsTable;
import io.guilomo.spark.table.MetricsTable.Metric;
import io.guilomo.spark.table.MetricsTable.Moment;
import io.guilomo.spark.table.MetricsTable.Part;
import io.guilomo.spark.table.RoundAppender;
import io.guilomo.spark.table.TableWriter;
import io.guilomo.spark.training.ValidationLoss;
import io.guilomo.spark.training.WorkerRound;
import io.guilomo.training.TrainingStepResult;
import java.time.Instant;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/** What is measured while a model is fine-tuned: rows of {@code metrics}. */
final class FinetuneCurves {

  private static final String TRAIN = "train";
  private static final String VALIDATION = "validation";

  private final long seed;
  private final RoundAppender<Metric> metrics;
  private final BufferedRows<Metric> rows;

  /**
   * @param keptRound rows up to this round are there already; negative to begin anew
   */
  FinetuneCurves(TableWriter tables, long seed, long keptRound) {
    this.seed = seed;
    this.metrics =
        keptRound < 0
            ? tables.begin(MetricsTable.INSTANCE)
            : tables.resume(MetricsTable.INSTANCE, Map.of(seed, keptRound));
    this.rows = new BufferedRows<>(metrics, seed);
  }

  /** Loss and accuracy over all validation records after {@code step} steps. */
  void validation(long round, long step, ValidationLoss.Measured measured) {
    Instant now = Instant.now();
    add(round, step, MetricsTable.ALL_WORKERS, VALIDATION, "loss", measured.loss(), now);
    add(round, step, MetricsTable.ALL_WORKERS, VALIDATION, "accuracy", measured.accuracy(), now);
  }

  /**
   * The steps of a round: of each worker and averaged over the workers.
   *
   * @return what to show of it: means over its steps and workers
   */
  Map<String, Double> round(
      long round, long firstStep, List<WorkerRound<TrainingStepResult>> workers) {
    Instant now = Instant.now();
    int steps = workers.get(0).steps().size();
    for (int i = 0; i < steps; i++) {
      int index = i;
      long step = firstStep + i;
      addAll(round, step, "learning_rate", workers, w -> w.steps().get(index).learningRate(), now);
      addAll(round, step, "loss", workers, w -> training(w, index).taskLoss(), now);
      addAll(round, step, "balance_loss", workers, w -> training(w, index).balanceLoss(), now);
      addAll(round, step, "gradient_norm", workers, w -> w.steps().get(index).gradientNorm(), now);
    }
    long last = firstStep + steps - 1;
    addAll(round, last, "tokens_per_second", workers, FinetuneCurves::tokensPerSecond, now);
    addAll(round, last, "router_entropy", workers, FinetuneCurves::routerEntropy, now);
    addAll(round, last, "expert_load_max", workers, FinetuneCurves::busiestShare, now);
    addAll(round, last, "averaged_bytes", workers, WorkerRound::bytes, now);
    Map<String, Double> shown = new LinkedHashMap<>();
    shown.put(
        "train loss",
        workers.stream()
            .flatMap(worker -> worker.steps().stream())
            .mapToDouble(step -> step.training().taskLoss())
            .average()
            .orElseThrow());
    shown.put("tokens/s", workers.stream().mapToDouble(FinetuneCurves::tokensPerSecond).sum());
    return shown;
  }

  /**
   * Load of every expert and entropy of every router in the last step of a round: of each worker
   * and of all.
   */
  void routers(long round, long step, List<WorkerRound<TrainingStepResult>> workers) {
    Instant now = Instant.now();
    for (LinearModule module : workers.get(0).routedTokens().keySet()) {
      long[] all = new long[workers.get(0).routedTokens().get(module).length];
      double entropies = 0;
      for (WorkerRound<TrainingStepResult> worker : workers) {
        long[] routed = worker.routedTokens().get(module);
        Arrays.setAll(all, e -> all[e] + routed[e]);
        double entropy = worker.routerEntropy().get(module);
        router(round, step, worker.worker(), module, routed, entropy, now);
        entropies += entropy / workers.size();
      }
      router(round, step, MetricsTable.ALL_WORKERS, module, all, entropies, now);
    }
  }

  /** Of one module, as its router sent a worker's tokens. */
  private void router(
      long round,
      long step,
      int worker,
      LinearModule module,
      long[] routed,
      double entropy,
      Instant at) {
    long all = Math.max(1, Arrays.stream(routed).sum());
    for (int e = 0; e < routed.length; e++) {
      addOf(round, step, worker, module, e, MetricsTable.EXPERT_LOAD, (double) routed[e] / all, at);
    }
    addOf(round, step, worker, module, null, "router_entropy", entropy, at);
  }

  private static PassResult training(WorkerRound<TrainingStepResult> worker, int step) {
    return worker.steps().get(step).training();
  }

  private static double tokensPerSecond(WorkerRound<TrainingStepResult> worker) {
    return worker.steps().stream().mapToLong(TrainingStepResult::tokens).sum() / worker.seconds();
  }

  /** Mean over the modules. */
  private static double routerEntropy(WorkerRound<TrainingStepResult> worker) {
    return worker.routerEntropy().values().stream()
        .mapToDouble(Double::doubleValue)
        .average()
        .orElse(0);
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

  private void addAll(
      long round,
      long step,
      String name,
      List<WorkerRound<TrainingStepResult>> workers,
      ToDoubleFunction<WorkerRound<TrainingStepResult>> value,
      Instant at) {
    double sum = 0;
    for (WorkerRound<TrainingStepResult> worker : workers) {
      double own = value.applyAsDouble(worker);
      add(round, step, worker.worker(), TRAIN, name, own, at);
      sum += own;
    }
    add(round, step, MetricsTable.ALL_WORKERS, TRAIN, name, sum / workers.size(), at);
  }

  private void add(
      long round, long step, int worker, String split, String name, double value, Instant at) {
    Moment moment = new Moment(FinetuneJob.NAME, seed, round, step, at);
    rows.add(new Metric(moment, worker, split, name, value));
  }

  private void addOf(
      long round,
      long step,
      int worker,
      LinearModule module,
      Integer expert,
      String name,
      double value,
      Instant at) {
    Moment moment = new Moment(FinetuneJob.NAME, seed, round, step, at);
    Part part = new Part(module.layer(), module.name(), expert);
    rows.add(new Metric(moment, worker, TRAIN, name, value, part));
  }

  /** Writes what has gathered, if it is time. */
  void flush(long round) {
    rows.flush(round);
  }

  /** Writes what has gathered. */
  void write(long round) {
    rows.write(round);
  }

  /** Writes the rest. */
  void finish(long round) {
    rows.write(round);
    metrics.finish();
  }
}
