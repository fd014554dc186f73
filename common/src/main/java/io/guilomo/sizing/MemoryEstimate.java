package io.guilomo.sizing;

import io.guilomo.config.FinetuneConfig;
import io.guilomo.config.ModelConfig.Precision;
import io.guilomo.config.Recompute;
import io.guilomo.config.SearchConfig;
import io.guilomo.config.SearchConfig.Estimator;
import io.guilomo.network.NetworkDefinition;
import io.guilomo.network.ParameterCount;
import io.guilomo.network.WorkingArrays;

/**
 * The memory that training a network takes, computed from its definition alone: nothing is loaded.
 * Bytes are those of float32 arrays, which all values become whatever type the model's files have,
 * unless the frozen ones are {@linkplain #keptAs kept} in another.
 *
 * @param backbone bytes of the frozen tensors, which a process has once
 * @param parameters that are trained
 * @param copied elements of the copies of weights and GSVs that a step keeps
 * @param batch that a task runs in one step
 * @param activations bytes of one task's working arrays for such a batch
 */
public record MemoryEstimate(
    long backbone, ParameterCount parameters, long copied, BatchShape batch, long activations) {

  /** Parameters and two moments of each: what an averaging round moves. */
  private static final int AVERAGED = 3;

  /** Most workers whose parameters the driver holds together: of more it gets the means. */
  public static final int MOST_ON_DRIVER = 4;

  /**
   * Bytes of parameters and updater state up to which the driver gets all means of a round at once;
   * of more it gets about as many at a time.
   */
  public static final long MOST_AT_ONCE = 64L << 20;

  /** As an object and as bytes: how often the heap holds what goes through Spark. */
  private static final int RECEIVED = 2;

  /** Memory of a search; its own batch size is ignored. */
  public static MemoryEstimate search(
      NetworkDefinition network, SearchConfig search, BatchShape batch) {
    ParameterCount count = ParameterCount.of(network);
    long copied =
        switch (search.outerGradient()) {
          // The weights before the virtual step, the gradients of both losses, and the outer ones.
          case SECOND_ORDER -> 3 * count.weights() + 2 * count.gsvs();
          case REFERENCE -> 3 * count.weights() + count.gsvs();
          // Where masks are expectations, the outer state before the step as well.
          case FIRST_ORDER ->
              count.weights() + (search.estimator() == Estimator.EXPECTED ? 3 * count.gsvs() : 0);
        };
    return of(network, search.recompute(), copied, batch);
  }

  /** Memory of a fine-tuning; its own batch size is ignored. */
  public static MemoryEstimate fineTuning(
      NetworkDefinition network, FinetuneConfig finetune, BatchShape batch) {
    long copied = finetune.accumulationSteps() > 1 ? ParameterCount.of(network).weights() : 0;
    return of(network, finetune.recompute(), copied, batch);
  }

  /**
   * Memory of the short training of all candidates that some strategies measure; the search's own
   * batch size is ignored.
   */
  public static MemoryEstimate measuring(
      NetworkDefinition network, SearchConfig search, BatchShape batch) {
    return of(network, search.recompute(), 0, batch);
  }

  private static MemoryEstimate of(
      NetworkDefinition network, Recompute recompute, long copied, BatchShape asked) {
    BatchShape batch =
        new BatchShape(
            asked.sequences(), Math.min(asked.length(), network.config().maxPositions()));
    return new MemoryEstimate(
        network.config().parameters() * Float.BYTES,
        ParameterCount.of(network),
        copied,
        batch,
        new WorkingArrays(network, recompute, batch.sequences(), batch.length()).bytes());
  }

  /**
   * With frozen tensors of a type. Norms and biases, which stay float32, are counted as of that
   * type too, and the scales of int8 are not counted: each is less than half a percent from 1,024
   * features on.
   */
  public MemoryEstimate keptAs(Precision precision) {
    return new MemoryEstimate(
        backbone / Float.BYTES * precision.matrices().width(),
        parameters,
        copied,
        batch,
        activations);
  }

  /** Bytes of the flat vector of parameters. */
  public long parameterBytes() {
    return parameters.all() * Float.BYTES;
  }

  /** Bytes of parameters and updater state: what each worker sends back after a round. */
  public long averagedBytes() {
    return AVERAGED * parameterBytes();
  }

  /**
   * Bytes that an averaging round moves: parameters and updater state to every executor, back from
   * every worker, and where executors average, their means to the driver.
   */
  public long roundBytes(int executors, int workers) {
    long means = workers > MOST_ON_DRIVER ? 1 : 0;
    return (executors + workers + means) * averagedBytes();
  }

  /**
   * Memory of a process that trains.
   *
   * @param tasks workers that it runs concurrently
   * @param received sets of parameters that it has got from the driver: one per search that runs;
   *     none where it is the driver
   */
  public ExecutorMemory executor(int tasks, int received) {
    long parameter = parameterBytes();
    return new ExecutorMemory(
        backbone,
        tasks * parameter,
        tasks * parameter,
        2 * tasks * parameter,
        tasks * copied * Float.BYTES,
        tasks * activations,
        RECEIVED * (tasks * addedAtOnce() + received * averagedBytes()));
  }

  /** Bytes of what a task returns, or adds up of all workers, in its heap. */
  private long addedAtOnce() {
    return streams() ? MOST_ON_DRIVER * MOST_AT_ONCE : averagedBytes();
  }

  private boolean streams() {
    return averagedBytes() > MOST_AT_ONCE;
  }

  /**
   * Memory of the host of a process that trains on a GPU: parameters, gradient and updater state of
   * each task, which it sends and receives; all else is on the card.
   *
   * @param tasks workers that it runs concurrently
   * @param received as for {@link #executor}
   */
  public ExecutorMemory executorWithGpu(int tasks, int received) {
    return new MemoryEstimate(0, parameters, 0, batch, 0).executor(tasks, received);
  }

  /**
   * Memory of the process that averages.
   *
   * @param workers whose parameters it averages
   * @param searches that it leads concurrently
   */
  public DriverMemory driver(int workers, int searches) {
    long averaged = averagedBytes();
    long collected = workers > MOST_ON_DRIVER ? 1 : workers;
    long results = streams() ? MOST_AT_ONCE : collected * averaged;
    return new DriverMemory(
        2L * searches * averaged, searches * (averaged + RECEIVED * results), results);
  }

  /**
   * Memory of the process that averages what workers have trained, in bytes.
   *
   * @param offHeap outside the Java heap: parameters and updater state, and those of a checkpoint
   *     while it is read or of a round while it is averaged
   * @param heap of the Java heap: parameters and updater state as they are sent, and what is
   *     received at once
   * @param results of one averaging round as Spark counts them against {@code
   *     spark.driver.maxResultSize}
   */
  public record DriverMemory(long offHeap, long heap, long results) {}
}
