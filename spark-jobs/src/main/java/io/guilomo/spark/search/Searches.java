package io.guilomo.spark.search;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.network.BackboneConfig;
import io.guilomo.plan.AllocationPlan;
import io.guilomo.plan.ConsensusAllocation;
import io.guilomo.plan.ParameterBudget;
import io.guilomo.plan.StartPlan;
import io.guilomo.spark.checkpoint.Checkpoint;
import io.guilomo.spark.checkpoint.JobCheckpoints;
import io.guilomo.spark.checkpoint.TrainingCheckpoints;
import io.guilomo.spark.data.ShardedData;
import io.guilomo.spark.input.JobContext;
import io.guilomo.spark.progress.ProgressListener;
import io.guilomo.spark.round.Rounds;
import io.guilomo.spark.run.RecordedRun;
import io.guilomo.spark.table.GsvHistoryTable;
import io.guilomo.spark.table.MetricsTable;
import io.guilomo.spark.table.RoundAppender;
import io.guilomo.spark.table.Table;
import io.guilomo.spark.table.TableWriter;
import io.guilomo.spark.worker.Workers;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;

/**
 * The searches of a run, one per seed, which run concurrently: Spark gives each the executors that
 * the others leave free. A seed learns the same plan alone and among others.
 *
 * @param plan of one search, or the consensus of several
 * @param outcomes in the order of the seeds
 */
record Searches(AllocationPlan plan, List<SearchRun.Outcome> outcomes) {

  static Searches run(
      JobContext context,
      BackboneConfig backbone,
      ShardedData data,
      Workers workers,
      RecordedRun run,
      Optional<StartPlan> startPlan)
      throws IOException {
    GuilomoConfig config = context.config();
    List<Long> seeds =
        config.search().seeds().isEmpty() ? List.of(config.run().seed()) : config.search().seeds();
    SharedProgress shared = new SharedProgress(context.progress());
    JobCheckpoints saved = run.checkpoints();
    Map<Long, TrainingCheckpoints> checkpoints = new HashMap<>();
    Map<Long, Checkpoint> resumed = new HashMap<>();
    for (long seed : seeds) {
      TrainingCheckpoints own =
          new TrainingCheckpoints(saved.of(seed), config, List.of("finetune."), shared);
      checkpoints.put(seed, own);
      own.newest().ifPresent(checkpoint -> resumed.put(seed, checkpoint));
    }
    RoundAppender<MetricsTable.Metric> metrics =
        appender(run.tables(), MetricsTable.INSTANCE, resumed);
    RoundAppender<GsvHistoryTable.Entry> history =
        appender(run.tables(), GsvHistoryTable.INSTANCE, resumed);
    for (long seed : seeds) {
      Rounds rounds = SearchRun.plan(config, backbone, data, seed).rounds();
      Checkpoint done = resumed.get(seed);
      shared.expect(done == null ? rounds : rounds.after(done.round(), done.step()));
    }
    ExecutorService threads = Executors.newFixedThreadPool(seeds.size());
    List<SearchRun.Outcome> outcomes = new ArrayList<>();
    try {
      List<Future<SearchRun.Outcome>> running = new ArrayList<>();
      for (long seed : seeds) {
        SearchCurves curves = new SearchCurves(metrics, history, seed, config.search().estimator());
        Optional<Checkpoint> start = Optional.ofNullable(resumed.get(seed));
        running.add(
            threads.submit(
                () ->
                    new SearchRun(context, backbone, data, workers, seed, curves, startPlan)
                        .run(start, checkpoints.get(seed), shared)));
      }
      for (Future<SearchRun.Outcome> search : running) {
        outcomes.add(outcome(search));
      }
    } finally {
      threads.shutdownNow();
    }
    metrics.finish();
    history.finish();
    List<AllocationPlan> plans = outcomes.stream().map(SearchRun.Outcome::plan).toList();
    ParameterBudget budget = new ParameterBudget(config.allocation().budgetParameters());
    return new Searches(
        plans.size() == 1
            ? plans.get(0)
            : new ConsensusAllocation(config.run().seed(), budget).plan(plans),
        outcomes);
  }

  private static <R> RoundAppender<R> appender(
      TableWriter tables, Table<R> table, Map<Long, Checkpoint> resumed) {
    Map<Long, Long> rounds = new HashMap<>();
    resumed.forEach((seed, checkpoint) -> rounds.put(seed, checkpoint.round()));
    return rounds.isEmpty() ? tables.begin(table) : tables.resume(table, rounds);
  }

  private static SearchRun.Outcome outcome(Future<SearchRun.Outcome> search) {
    try {
      return search.get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      throw e.getCause() instanceof IOException cause
          ? new UncheckedIOException(cause)
          : new IllegalStateException(e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("Cannot wait for a search: interrupted", e);
    }
  }

  /** The run's plan, then, where there are several, that of each seed. */
  List<AllocationPlan> plans() {
    return outcomes.size() == 1
        ? List.of(plan)
        : Stream.concat(Stream.of(plan), outcomes.stream().map(SearchRun.Outcome::plan)).toList();
  }

  /** Adds up the progress of concurrent searches for one listener. */
  private static final class SharedProgress implements ProgressListener {

    private final ProgressListener listener;
    private long expected;
    private boolean begun;

    SharedProgress(ProgressListener listener) {
      this.listener = listener;
    }

    /** Adds what remains of another search. */
    void expect(Rounds rounds) {
      expected += rounds.count() - rounds.done();
    }

    @Override
    public synchronized void begin(String task, long rounds) {
      if (!begun) {
        begun = true;
        listener.begin(task, expected);
      }
    }

    @Override
    public synchronized void round(Map<String, Double> values) {
      listener.round(values);
    }

    @Override
    public synchronized void message(String line) {
      listener.message(line);
    }

    @Override
    public synchronized void end() {
      listener.end();
    }
  }
}
