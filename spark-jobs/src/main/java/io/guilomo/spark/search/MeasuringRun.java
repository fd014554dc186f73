package io.guilomo.spark.search;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.config.SearchConfig;
import io.guilomo.io.FloatMemory;
import io.guilomo.model.ModuleExperts;
import io.guilomo.network.BackboneConfig;
import io.guilomo.network.NamedParameters;
import io.guilomo.plan.CandidateMeasurements;
import io.guilomo.plan.LowRankSpectrum;
import io.guilomo.plan.ModuleMeasurement;
import io.guilomo.spark.checkpoint.Checkpoint;
import io.guilomo.spark.checkpoint.TrainingCheckpoints;
import io.guilomo.spark.data.ShardedData;
import io.guilomo.spark.input.ClassifierStart;
import io.guilomo.spark.input.JobContext;
import io.guilomo.spark.input.Networks;
import io.guilomo.spark.round.AveragedTraining;
import io.guilomo.spark.round.MaskGradients;
import io.guilomo.spark.round.MetricRows;
import io.guilomo.spark.round.RoundLoop;
import io.guilomo.spark.round.Rounds;
import io.guilomo.spark.round.Rounds.Round;
import io.guilomo.spark.round.TrainingCurves;
import io.guilomo.spark.round.TrainingPlan;
import io.guilomo.spark.round.TrainingRun;
import io.guilomo.spark.round.ValidationResult;
import io.guilomo.spark.worker.PlainTraining;
import io.guilomo.spark.worker.WorkerRound;
import io.guilomo.spark.worker.Workers;
import io.guilomo.training.LearningRate;
import io.guilomo.training.TrainingStepResult;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The short training of all candidates that some strategies read their plans off: plain steps, as
 * in fine-tuning, with batches and learning rate of the search. The masks' gradients are measured
 * on the validation records after each quarter of the steps, as an expert that has learned nothing
 * yet, or all that it can, has none.
 */
final class MeasuringRun implements TrainingRun<TrainingStepResult> {

  /** Measurements of the gradients, evenly over the steps. */
  private static final int MEASUREMENTS = 4;

  /** Part of the steps in which the learning rate may grow. */
  private static final double MOST_WARMUP = 0.1;

  private final JobContext context;
  private final TrainingPlan<TrainingStepResult> plan;
  private final MetricRows metrics;
  private final AveragedTraining<TrainingStepResult> training;
  private MeasuringState state;
  private long startedAt;
  private double secondsBefore;

  MeasuringRun(
      JobContext context,
      TrainingPlan<TrainingStepResult> plan,
      ShardedData data,
      Workers workers,
      MetricRows metrics)
      throws IOException {
    this.context = context;
    this.plan = plan;
    this.metrics = metrics;
    this.training =
        new AveragedTraining<>(
            context,
            workers,
            data.shards(),
            plan,
            new ClassifierStart(plan.network(), data.labels()).read(context.hadoop()));
  }

  /** What a configuration makes of it: the network to train, and how. */
  static TrainingPlan<TrainingStepResult> plan(
      GuilomoConfig config, BackboneConfig backbone, ShardedData data) {
    SearchConfig search = config.search();
    int batchSize = search.batchSize();
    long seed = config.run().seed();
    long epoch = (data.largestShard() + batchSize - 1) / batchSize;
    long steps = config.allocation().steps() > 0 ? config.allocation().steps() : epoch;
    long warmup = Math.min(search.warmupSteps(), (long) (MOST_WARMUP * steps));
    PlainTraining training =
        new PlainTraining(
            SearchRun.inner(search),
            new LearningRate(search.learningRate(), warmup, steps),
            search.clipNorm(),
            1,
            seed,
            search.recompute());
    return new TrainingPlan<>(
        Networks.toMeasure(config, backbone, seed, data.classes()),
        training,
        Rounds.of(steps, config.cluster().averagingFrequency()),
        batchSize,
        seed);
  }

  /** Trains to the end, from the checkpoint of an earlier attempt if there is one. */
  CandidateMeasurements run(Optional<Checkpoint> resumed, TrainingCheckpoints checkpoints)
      throws IOException {
    startedAt = System.nanoTime();
    long steps =
        new RoundLoop<>(training, checkpoints, context.progress())
            .run(this, plan.rounds(), resumed);
    List<ModuleMeasurement> modules = modules();
    return new CandidateMeasurements(
        plan.seed(), steps, elapsed(), state.backboneDigest(), modules);
  }

  private double elapsed() {
    return secondsBefore + (System.nanoTime() - startedAt) / 1e9;
  }

  private List<ModuleMeasurement> modules() {
    NamedParameters parameters = training.named();
    MaskGradients sums = state.gradients();
    List<ModuleMeasurement> measured = new ArrayList<>();
    int mask = 0;
    int firstExpert = 0;
    for (ModuleExperts module : plan.network().modules()) {
      double[][] a = columns(module, parameters);
      double[][] b = rows(parameters.view(NamedParameters.name(module.module(), "B")));
      int rankMask = mask + module.experts();
      List<ModuleMeasurement.Expert> experts = new ArrayList<>();
      for (int e = 0; e < module.experts(); e++) {
        int first = module.firstColumns()[e];
        int ranks = module.ranks().get(e);
        double[] gradients = new double[ranks];
        double[] squares = new double[ranks];
        for (int i = 0; i < ranks; i++) {
          gradients[i] = sums.gradients()[rankMask + first + i] / sums.labels();
          squares[i] = sums.squares()[rankMask + first + i] / sums.batches();
        }
        experts.add(
            new ModuleMeasurement.Expert(
                state.routed()[firstExpert + e],
                sums.gradients()[mask + e] / sums.labels(),
                sums.squares()[mask + e] / sums.batches(),
                LowRankSpectrum.energies(part(b, first, ranks), part(a, first, ranks)),
                gradients,
                squares));
      }
      measured.add(new ModuleMeasurement(module.module(), experts));
      mask = rankMask + module.totalRank();
      firstExpert += module.experts();
    }
    return measured;
  }

  /** {@code Aᵀ [in][R]}. */
  private static double[][] columns(ModuleExperts module, NamedParameters parameters) {
    double[][] a = rows(parameters.view(NamedParameters.name(module.module(), "A")));
    double[][] transposed = new double[a[0].length][a.length];
    for (int i = 0; i < a.length; i++) {
      for (int j = 0; j < a[i].length; j++) {
        transposed[j][i] = a[i][j];
      }
    }
    return transposed;
  }

  private static double[][] rows(INDArray matrix) {
    int rows = Math.toIntExact(matrix.size(0));
    int columns = Math.toIntExact(matrix.size(1));
    FloatMemory memory = FloatMemory.of(matrix);
    float[] row = new float[columns];
    double[][] values = new double[rows][columns];
    for (int i = 0; i < rows; i++) {
      memory.get((long) i * columns, row, columns);
      for (int j = 0; j < columns; j++) {
        values[i][j] = row[j];
      }
    }
    return values;
  }

  /** Some of the columns. */
  private static double[][] part(double[][] matrix, int first, int count) {
    double[][] part = new double[matrix.length][count];
    for (int i = 0; i < matrix.length; i++) {
      System.arraycopy(matrix[i], first, part[i], 0, count);
    }
    return part;
  }

  @Override
  public String task() {
    return "measuring";
  }

  @Override
  public void start(ValidationResult before) {
    int experts = plan.network().modules().stream().mapToInt(ModuleExperts::experts).sum();
    int ranks = plan.network().modules().stream().mapToInt(ModuleExperts::totalRank).sum();
    state = MeasuringState.start(before, experts, experts + ranks);
    metrics.validation(0, 0, before);
  }

  @Override
  public void resume(String json) {
    state = MeasuringState.fromJson("the checkpoint's progress", json);
    secondsBefore = state.seconds();
  }

  @Override
  public Map<String, Double> trained(
      Round round, List<WorkerRound<TrainingStepResult>> workers, double seconds) {
    state = state.plus(routed(workers), workers.get(0).backboneDigest()).at(elapsed());
    return new TrainingCurves(metrics).round(round, workers);
  }

  private long[] routed(List<WorkerRound<TrainingStepResult>> workers) {
    long[] sums = new long[state.routed().length];
    int first = 0;
    for (ModuleExperts module : plan.network().modules()) {
      for (WorkerRound<TrainingStepResult> worker : workers) {
        long[] own = worker.routedTokens().get(module.module());
        for (int e = 0; e < own.length; e++) {
          sums[first + e] += own[e];
        }
      }
      first += module.experts();
    }
    return sums;
  }

  @Override
  public boolean validatesAfter(Round round) {
    return round.completes((plan.rounds().steps() + MEASUREMENTS - 1) / MEASUREMENTS);
  }

  @Override
  public void validated(
      Round round, List<WorkerRound<TrainingStepResult>> workers, ValidationResult result) {
    metrics.validation(round.number(), round.endStep(), result);
    state = state.plus(training.maskGradients()).at(elapsed());
  }

  @Override
  public void write(long round, boolean now) {
    metrics.write(round, now);
  }

  @Override
  public MeasuringState state() {
    return state;
  }
}
