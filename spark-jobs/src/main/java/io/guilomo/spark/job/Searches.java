package io.guilomo.spark.job;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.network.BackboneConfig;
import io.guilomo.plan.AllocationPlan;
import io.guilomo.plan.ConsensusAllocation;
import io.guilomo.plan.ParameterBudget;
import io.guilomo.spark.checkpoint.Checkpoint;
import io.guilomo.spark.checkpoint.JobCheckpoints;
import io.guilomo.spark.data.ShardedData;
import io.guilomo.spark.table.GsvHistoryTable;
import io.guilomo.spark.table.MetricsTable;
import io.guilomo.spark.table.RoundAppender;
import io.guilomo.spark.table.Table;
import io.guilomo.spark.table.TableWriter;
import java.io.IOException;
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
import org.apache.spark.sql.SparkSession;

/**
 * The searches of a run, one a seed, which run at a time: Spark gives each the executors that the
 * others leave free. A seed learns the same plan alone and among others.
 *
 * @param plan of one search, or the consensus of several
 * @param outcomes in the order of the seeds
 */
record Searches(AllocationPlan plan, List<SearchOutcome> outcomes) {

  static Searches run(
      SparkSession spark,
      GuilomoConfig config,
      BackboneConfig backbone,
      ShardedData data,
      Workers workers,
      TableWriter tables,
      JobCheckpoints checkpoints,
      ProgressListener progress)
      throws IOException {
    List<Long> seeds =
        config.search().seeds().isEmpty() ? List.of(config.run().seed()) : config.search().seeds();
    ProgressListener shared = new SharedProgress(progress, seeds.size());
    Map<Long, TrainingCheckpoints> own = new HashMap<>();
    Map<Long, Checkpoint> begun = new HashMap<>();
    for (long seed : seeds) {
      own.put(
          seed,
          new TrainingCheckpoints(checkpoints.of(seed), config, List.of("finetune."), shared));
      own.get(seed).newest().ifPresent(checkpoint -> begun.put(seed, checkpoint));
    }
    RoundAppender<MetricsTable.Metric> metrics = appender(tables, MetricsTable.INSTANCE, begun);
    RoundAppender<GsvHistoryTable.Entry> history =
        appender(tables, GsvHistoryTable.INSTANCE, begun);
    ExecutorService threads = Executors.newFixedThreadPool(seeds.size());
    List<SearchOutcome> outcomes = new ArrayList<>();
    try {
      List<Future<SearchOutcome>> running = new ArrayList<>();
      for (long seed : seeds) {
        SearchRun search = new SearchRun(spark, config, backbone, data, workers, seed);
        LearningCurves curves = new LearningCurves(metrics, history, seed);
        Optional<Checkpoint> checkpoint = Optional.ofNullable(begun.get(seed));
        running.add(threads.submit(() -> search.run(checkpoint, own.get(seed), curves, shared)));
      }
      for (Future<SearchOutcome> search : running) {
        outcomes.add(outcome(search));
      }
    } finally {
      threads.shutdownNow();
    }
    metrics.finish();
    history.finish();
    List<AllocationPlan> plans = outcomes.stream().map(SearchOutcome::plan).toList();
    ParameterBudget budget = new ParameterBudget(config.allocation().budgetParameters());
    return new Searches(
        plans.size() == 1
            ? plans.get(0)
            : new ConsensusAllocation(config.run().seed(), budget).plan(plans),
        outcomes);
  }

  private static <R> RoundAppender<R> appender(
      TableWriter tables, Table<R> table, Map<Long, Checkpoint> begun) {
    Map<Long, Long> rounds = new HashMap<>();
    begun.forEach((seed, checkpoint) -> rounds.put(seed, checkpoint.round()));
    return rounds.isEmpty() ? tables.begin(table) : tables.resume(table, rounds);
  }

  private static SearchOutcome outcome(Future<SearchOutcome> search) {
    try {
      return search.get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      throw new IllegalStateException(e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("Cannot wait for a search: interrupted", e);
    }
  }

  /** The run's plan, then, where there are several, that of each seed. */
  List<AllocationPlan> plans() {
    return outcomes.size() == 1
        ? List.of(plan)
        : Stream.concat(Stream.of(plan), outcomes.stream().map(SearchOutcome::plan)).toList();
  }
}
