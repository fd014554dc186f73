package io.guilomo.spark.bench;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.family.Families;
import io.guilomo.model.UserException;
import io.guilomo.network.BackboneConfig;
import io.guilomo.search.SearchStepResult;
import io.guilomo.spark.data.ShardedData;
import io.guilomo.spark.input.ClassifierStart;
import io.guilomo.spark.input.JobContext;
import io.guilomo.spark.input.JobData;
import io.guilomo.spark.input.Networks;
import io.guilomo.spark.preflight.Preflight;
import io.guilomo.spark.round.AveragedTraining;
import io.guilomo.spark.round.Rounds;
import io.guilomo.spark.round.TrainingPlan;
import io.guilomo.spark.search.SearchRun;
import io.guilomo.spark.session.JavaSerialization;
import io.guilomo.spark.worker.WorkerRound;
import io.guilomo.spark.worker.Workers;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * How the throughput of a search grows with its workers: a few averaging rounds with each number of
 * workers, alternating, so that other load on the machine affects all of them.
 */
public record ScalingBench(JobContext context) {

  private static final int WARM_UPS = 2;
  private static final int ROUNDS = 8;

  /**
   * What was measured with one number of workers.
   *
   * @param stepsPerRound of each worker
   * @param tokens that all workers read in all rounds, of training and validation batches
   * @param seconds of all rounds
   * @param averaging seconds in which no worker computed: sending, averaging, starting tasks
   * @param waiting seconds of a worker, on average, until the slowest has finished
   * @param bytes of parameters and updater state of a worker
   */
  public record Throughput(
      int workers,
      int rounds,
      int stepsPerRound,
      long tokens,
      double seconds,
      double averaging,
      double waiting,
      long bytes) {

    private static Throughput none(int workers, int stepsPerRound) {
      return new Throughput(workers, 0, stepsPerRound, 0, 0, 0, 0, 0);
    }

    private Throughput plus(double elapsed, List<WorkerRound<SearchStepResult>> done) {
      double slowest = done.stream().mapToDouble(WorkerRound::seconds).max().orElseThrow();
      double mean = done.stream().mapToDouble(WorkerRound::seconds).average().orElseThrow();
      return new Throughput(
          workers,
          rounds + 1,
          stepsPerRound,
          tokens + done.stream().mapToLong(WorkerRound::tokens).sum(),
          seconds + elapsed,
          averaging + elapsed - slowest,
          waiting + slowest - mean,
          done.get(0).bytes());
    }

    public double tokensPerSecond() {
      return tokens / seconds;
    }
  }

  private GuilomoConfig config() {
    return context.config();
  }

  /**
   * Measures 1, 2, 4, … workers up to the configured number.
   *
   * @throws UserException for a configuration, model or data that cannot be used
   */
  public List<Throughput> run() throws IOException {
    JavaSerialization.require(context.sparkContext().getConf());
    Preflight.requireFixedWorkers(context.sparkContext().getConf());
    BackboneConfig backbone = Families.config(config().model().requirePath(), context.hadoop());
    Networks.check(config(), backbone);
    Workers all = Workers.of(config(), context.sparkContext());
    List<Search> searches = new ArrayList<>();
    for (int count : counts(all.count())) {
      searches.add(new Search(backbone, all.of(count)));
    }
    context.progress().begin("rounds", (long) searches.size() * (WARM_UPS + ROUNDS));
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

    private final Rounds rounds;
    private final AveragedTraining<SearchStepResult> training;
    private Throughput measured;

    Search(BackboneConfig backbone, Workers workers) throws IOException {
      ShardedData data =
          new JobData(context).load(workers.count(), config().data().validationFraction());
      int frequency = config().cluster().averagingFrequency();
      rounds = Rounds.of((long) (WARM_UPS + ROUNDS) * frequency, frequency);
      TrainingPlan<SearchStepResult> search =
          SearchRun.plan(config(), backbone, data, config().run().seed());
      training =
          new AveragedTraining<>(
              context,
              workers,
              data.shards(),
              new TrainingPlan<>(
                  search.network(), search.training(), rounds, search.batchSize(), search.seed()),
              new ClassifierStart(search.network(), data.labels()).read(context.hadoop()));
      measured = Throughput.none(workers.count(), frequency);
    }

    void round(int round) {
      long start = System.nanoTime();
      List<WorkerRound<SearchStepResult>> done = training.round(rounds.round(round + 1));
      double elapsed = (System.nanoTime() - start) / 1e9;
      context.progress().round(Map.of("workers", (double) measured.workers(), "seconds", elapsed));
      if (round >= WARM_UPS) {
        measured = measured.plus(elapsed, done);
      }
    }
  }
}
