package io.guilomo.spark.preflight;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.IntStream;
import org.apache.spark.SparkContext;
import org.apache.spark.SparkEnv;
import org.apache.spark.api.java.JavaFutureAction;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.status.api.v1.ExecutorSummary;
import org.apache.spark.util.SerializableConfiguration;
import scala.collection.JavaConverters;

/**
 * Questions every executor. Spark cannot be told where to run a task, so more tasks than there are
 * slots are submitted repeatedly until all executors have answered or time is up.
 *
 * @param machines executors that have answered, in the order of their ids
 * @param registered number of executors registered with the driver
 * @param cores total number of their cores
 * @param tasks number of tasks that an executor runs concurrently
 */
record ExecutorSurvey(List<Machine> machines, int registered, int cores, int tasks) {

  private static final int TASKS_PER_SLOT = 2;

  ExecutorSurvey {
    machines = List.copyOf(machines);
  }

  /** What each task runs: the first task in a process measures, the others reuse its answer. */
  private record Question(
      String id,
      int threads,
      Processor.Product product,
      FileChecks checks,
      SerializableConfiguration hadoop)
      implements Serializable {

    Machine ask() {
      synchronized (Answer.class) {
        if (Answer.last == null || !Answer.last.id().equals(id)) {
          Answer.last =
              new Answer(
                  id,
                  Machine.here(
                      SparkEnv.get().executorId(), threads, product, checks, hadoop.value()));
        }
        return Answer.last.machine();
      }
    }
  }

  /** The answer of this process. */
  private record Answer(String id, Machine machine) {
    private static Answer last;
  }

  /**
   * @param expected number of executors that the configuration requests; 0 if unknown
   * @param seconds time limit
   */
  static ExecutorSurvey run(
      SparkContext spark, Processor.Product product, FileChecks checks, int expected, int seconds) {
    if (spark.isLocal()) {
      return here(spark, product, checks);
    }
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
    String id = UUID.randomUUID().toString();
    Map<String, Machine> seen = new TreeMap<>();
    List<ExecutorSummary> registered;
    do {
      registered = registered(spark);
      int cores = registered.stream().mapToInt(ExecutorSummary::totalCores).max().orElse(0);
      Question question =
          new Question(
              id,
              cores,
              product,
              checks,
              new SerializableConfiguration(spark.hadoopConfiguration()));
      int slots = registered.stream().mapToInt(ExecutorSummary::maxTasks).sum();
      List<Machine> answers = answers(spark, question, Math.max(1, slots) * TASKS_PER_SLOT, end);
      answers.forEach(machine -> seen.put(machine.process(), machine));
      registered = registered(spark);
    } while (seen.size() < Math.max(expected, registered.size()) && System.nanoTime() < end);
    return new ExecutorSurvey(
        new ArrayList<>(seen.values()),
        registered.size(),
        registered.stream().mapToInt(ExecutorSummary::totalCores).sum(),
        registered.stream().mapToInt(ExecutorSummary::maxTasks).max().orElse(1));
  }

  /** The driver is its own only executor, which need not be waited for. */
  private static ExecutorSurvey here(
      SparkContext spark, Processor.Product product, FileChecks checks) {
    List<ExecutorSummary> registered = registered(spark);
    int cores = registered.stream().mapToInt(ExecutorSummary::totalCores).max().orElse(0);
    int tasks = registered.stream().mapToInt(ExecutorSummary::maxTasks).max().orElse(1);
    Machine driver =
        Machine.here(Machine.DRIVER, cores, product, checks, spark.hadoopConfiguration());
    return new ExecutorSurvey(List.of(driver), 1, cores, tasks);
  }

  private static List<Machine> answers(SparkContext spark, Question question, int tasks, long end) {
    List<Integer> numbers = IntStream.range(0, tasks).boxed().toList();
    JavaFutureAction<List<Machine>> running =
        JavaSparkContext.fromSparkContext(spark)
            .parallelize(numbers, tasks)
            .map(number -> question.ask())
            .collectAsync();
    try {
      return running.get(Math.max(1, end - System.nanoTime()), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      running.cancel(true);
      return List.of();
    } catch (ExecutionException e) {
      throw new IllegalStateException("Cannot question the executors: " + e.getCause(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("Cannot question the executors: interrupted", e);
    }
  }

  /** Registered executors; the driver if it is the only one. */
  private static List<ExecutorSummary> registered(SparkContext spark) {
    return JavaConverters.seqAsJavaList(spark.statusStore().executorList(true)).stream()
        .filter(executor -> !executor.id().equals(Machine.DRIVER) || spark.isLocal())
        .toList();
  }
}
