package io.guilomo.spark.job;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.data.LabelSet;
import io.guilomo.family.Families;
import io.guilomo.model.UserException;
import io.guilomo.network.BackboneConfig;
import io.guilomo.search.SearchStepResult;
import io.guilomo.spark.data.ShardedData;
import io.guilomo.spark.training.BilevelTraining;
import io.guilomo.spark.training.WorkerBatches;
import io.guilomo.spark.training.WorkerRound;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.LongStream;
import org.apache.spark.sql.SparkSession;

/**
 * How the throughput of a search grows with its workers: a few averaging rounds with each number of
 * them, in turn, so that what slows the machine slows all.
 */
public final class ScalingBench {

  private static final int WARM_UPS = 2;
  private static final int ROUNDS = 8;

  private final SparkSession spark;
  private final GuilomoConfig config;
  private final ProgressListener progress;

  /**
   * What was measured with one number of workers.
   *
   * @param stepsPerRound of each worker
   * @param tokens that all workers read in all rounds, of training and validation batches
   * @param seconds of all rounds
   * @param averaging seconds in which no worker computed: sending, averaging, starting of tasks
   * @param waiting seconds of a worker, on average, until the slowest had finished
   * @param bytes of parameters and updater state of a worker
   */
  public record Measured(
      int workers,
      int rounds,
      int stepsPerRound,
      long tokens,
      double seconds,
      double averaging,
      double waiting,
      long bytes) {

    private static Measured none(int workers, int stepsPerRound) {
      return new Measured(workers, 0, stepsPerRound, 0, 0, 0, 0, 0);
    }

    private Measured plus(long more, double elapsed, List<WorkerRound<SearchStepResult>> done) {
      double slowest = done.stream().mapToDouble(WorkerRound::seconds).max().orElseThrow();
      double mean = done.stream().mapToDouble(WorkerRound::seconds).average().orElseThrow();
      return new Measured(
          workers,
          rounds + 1,
          stepsPerRound,
          tokens + more,
          seconds + elapsed,
          averaging + elapsed - slowest,
          waiting + slowest - mean,
          done.get(0).bytes());
    }

    public double tokensPerSecond() {
      return tokens / seconds;
    }
  }

  public ScalingBench(SparkSession spark, GuilomoConfig config, ProgressListener progress) {
    this.spark = spark;
    this.config = config;
    this.progress = progress;
  }

  /**
   * Measures 1, 2, 4, … workers up to the configured number.
   *
   * @throws UserException for a configuration, model or data that cannot be used
   */
  public List<Measured> run() throws IOException {
    Preflight.requireFixedWorkers(spark.sparkContext().getConf());
    BackboneConfig backbone =
        Families.config(config.model().requirePath(), spark.sparkContext().hadoopConfiguration());
    ModelChecks.check(config, backbone);
    Workers all = Workers.of(config, spark.sparkContext());
    List<Search> searches = new ArrayList<>();
    for (int count : counts(all.count())) {
      searches.add(new Search(backbone, all.of(count)));
    }
    progress.begin("rounds", (long) searches.size() * (WARM_UPS + ROUNDS));
    for (int round = 0; round < WARM_UPS + ROUNDS; round++) {
      for (Search search : searches) {
        search.round(round);
      }
    }
    return searches.stream().map(search -> search.measured).toList();
  }

  private static TreeSet<Integer> counts(int most) {
    TreeSet<Integer> counts = new TreeSet<>(List.of(most));
    for (int count = 1; count < most; count *= 2) {
      counts.add(count);
    }
    return counts;
  }

  /** One number of workers. */
  private final class Search {

    private final ShardedData data;
    private final Rounds rounds;
    private final int batchSize = config.search().batchSize();
    private final AveragedTraining<SearchStepResult> training;
    private Measured measured;

    Search(BackboneConfig backbone, Workers workers) throws IOException {
      data = new JobData(spark, config).load(workers.count());
      SearchPlan plan =
          SearchPlan.of(
              config,
              backbone,
              config.run().seed(),
              data.largestShard(),
              data.labels().map(LabelSet::size).orElse(0));
      int frequency = config.cluster().averagingFrequency();
      rounds = Rounds.of((long) (WARM_UPS + ROUNDS) * frequency, frequency);
      training =
          new AveragedTraining<>(
              spark,
              workers,
              data.shards(),
              plan.network(),
              new BilevelTraining(plan.settings()),
              batchSize,
              frequency,
              config.cluster().roundTimeoutSeconds());
      measured = Measured.none(workers.count(), frequency);
    }

    void round(int round) {
      long seed = config.run().seed();
      long start = System.nanoTime();
      List<WorkerRound<SearchStepResult>> done =
          training.round(round, SearchRun.batches(data.shards(), rounds, round, batchSize, seed));
      double elapsed = (System.nanoTime() - start) / 1e9;
      progress.round(Map.of("workers", (double) measured.workers(), "seconds", elapsed));
      if (round >= WARM_UPS) {
        measured = measured.plus(tokens(round, seed), elapsed, done);
      }
    }

    private long tokens(int round, long seed) {
      long first = rounds.firstStep(round);
      long end = rounds.endStep(round);
      int size = batchSize;
      return data.shards()
          .map(
              shard -> {
                WorkerBatches batches = new WorkerBatches(shard, size, seed);
                return LongStream.range(first, end)
                    .map(step -> batches.train(step).size() + batches.validation(step).size())
                    .sum();
              })
          .reduce(Long::sum);
    }
  }
}
