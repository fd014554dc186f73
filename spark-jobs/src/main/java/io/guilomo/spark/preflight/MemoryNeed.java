package io.guilomo.spark.preflight;

import io.guilomo.sizing.BatchShape;
import io.guilomo.sizing.ByteSize;
import io.guilomo.sizing.ExecutorMemory;
import io.guilomo.sizing.MemoryEstimate;
import io.guilomo.sizing.MemoryEstimate.DriverMemory;
import java.util.List;
import java.util.Optional;

/**
 * The memory that one process needs for a training.
 *
 * @param training {@code search} or {@code finetune}, as in the configuration
 * @param place which process needs it, such as {@code per executor}
 * @param offHeap bytes outside the Java heap
 * @param parts breakdown of those bytes, in words
 * @param heap bytes of the Java heap
 * @param less what would reduce the need, in words
 */
public record MemoryNeed(
    String training, String place, long offHeap, String parts, long heap, String less) {

  /**
   * Bytes that a JVM takes with Spark and the libraries of the kernels beside its heap and the
   * arrays: {@code deploy/sizing/llama-7b} with a model of 0.15 × 10⁶ parameters measures it.
   */
  private static final long JVM = 500_000_000;

  /**
   * The need of an executor of a cluster.
   *
   * @param gpu whether it computes on a GPU, which then holds most of the arrays
   * @param tasks number of tasks that it runs concurrently
   */
  public static MemoryNeed executor(
      String training, MemoryEstimate estimate, boolean gpu, int tasks, int searches) {
    ExecutorMemory memory = memory(estimate, gpu, tasks, searches);
    return new MemoryNeed(
        training,
        tasks == 1 ? "per executor" : "per executor of " + tasks + " tasks",
        memory.offHeap(),
        parts(memory, estimate, gpu) + rest(gpu),
        memory.heap(),
        smaller(training, estimate.batch(), gpu));
  }

  private static ExecutorMemory memory(
      MemoryEstimate estimate, boolean gpu, int tasks, int received) {
    return gpu ? estimate.executorWithGpu(tasks, received) : estimate.executor(tasks, received);
  }

  private static String parts(ExecutorMemory memory, MemoryEstimate estimate, boolean gpu) {
    return gpu ? memory.partsWithGpu() : memory.parts() + " for " + estimate.batch();
  }

  private static String rest(boolean gpu) {
    return gpu ? "; the rest is on the GPU" : "";
  }

  /** The need of the driver of a cluster. */
  public static MemoryNeed driver(
      String training, MemoryEstimate estimate, int workers, int searches) {
    DriverMemory memory = estimate.driver(workers, searches);
    return new MemoryNeed(
        training,
        "on the driver",
        memory.offHeap(),
        "averaging " + ByteSize.text(memory.offHeap()),
        memory.heap(),
        "fewer guilomo.search.seeds");
  }

  /** The need of a process that is both driver and executor. */
  public static MemoryNeed local(
      String training, MemoryEstimate estimate, boolean gpu, int tasks, int workers, int searches) {
    ExecutorMemory executor = memory(estimate, gpu, tasks, 0);
    DriverMemory driver = estimate.driver(workers, searches);
    return new MemoryNeed(
        training,
        tasks == 1 ? "in one process" : "in one process of " + tasks + " tasks",
        executor.offHeap() + driver.offHeap(),
        parts(executor, estimate, gpu)
            + ", averaging "
            + ByteSize.text(driver.offHeap())
            + rest(gpu),
        executor.heap() + driver.heap(),
        smaller(training, estimate.batch(), gpu));
  }

  /** The message that it does not fit, if so. */
  public Optional<String> refusal(List<MemoryLimit> limits) {
    return MemoryLimit.smallest(limits)
        .filter(limit -> limit.bytes() < offHeap)
        .map(
            limit ->
                String.format(
                    "Cannot fit guilomo.%s: needs %s %s (%s) and has %s (%s): %s",
                    training,
                    ByteSize.text(offHeap),
                    place,
                    parts,
                    ByteSize.text(limit.bytes()),
                    limit.source(),
                    advice(limit, limits)));
  }

  private static String smaller(String training, BatchShape batch, boolean gpu) {
    String part =
        gpu || batch.equals(BatchShape.LEAST)
            ? "fewer experts of lower ranks"
            : "a smaller guilomo.%s.batch-size or guilomo.model.max-length".formatted(training);
    return part + ", or fewer tasks per process";
  }

  private String advice(MemoryLimit limit, List<MemoryLimit> limits) {
    boolean machineHasIt =
        limits.stream()
            .filter(other -> !other.raised())
            .allMatch(other -> other.bytes() >= offHeap);
    if (!limit.raised() || !machineHasIt) {
      return "use machines with more memory, " + less;
    }
    String setting =
        limit.source().equals(MemoryLimit.OVERHEAD)
            ? MemoryLimit.OVERHEAD + "="
            : "GUILOMO_OFF_HEAP=";
    return "set %s%s, or use %s".formatted(setting, ByteSize.setting(offHeap), less);
  }

  /** The need in words, if it fits. */
  public String describe(List<MemoryLimit> limits) {
    String needed = "needs %s %s (%s)".formatted(ByteSize.text(offHeap), place, parts);
    return MemoryLimit.smallest(limits)
        .map(
            limit ->
                "%s and has %s (%s)"
                    .formatted(needed, ByteSize.text(limit.bytes()), limit.source()))
        .orElse(needed + "; how much it has is unknown");
  }

  /**
   * The memory that is resident when the heap is full, with a warning if the machine has less.
   *
   * @param most bytes of the heap at most
   */
  Check resident(String name, long most, List<MemoryLimit> limits) {
    long resident = offHeap + most + JVM;
    String text =
        "up to %s %s: %s outside the heap, %s of heap and %s of the JVM itself"
            .formatted(
                ByteSize.text(resident),
                place,
                ByteSize.text(offHeap),
                ByteSize.text(most),
                ByteSize.text(JVM));
    return MemoryLimit.smallest(limits.stream().filter(limit -> !limit.raised()).toList())
        .filter(limit -> limit.bytes() < resident)
        .map(
            limit ->
                Check.warning(
                    name,
                    "%s; %s is %s: use a smaller heap, or %s"
                        .formatted(text, limit.source(), ByteSize.text(limit.bytes()), less)))
        .orElseGet(() -> Check.ok(name, text));
  }
}
