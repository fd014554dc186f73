package io.guilomo.spark.doctor;

import io.guilomo.kernel.KernelSelection;
import io.guilomo.kernel.Kernels;
import io.guilomo.spark.device.TaskDevice;
import java.io.Serializable;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.nd4j.linalg.factory.Nd4j;

/**
 * What one process tells of itself.
 *
 * @param process {@code driver}, or the number that Spark gave the executor
 * @param kernels implementation of the kernels
 * @param blas library that computes matrix products
 * @param noGpu why it can use no GPU; empty if it can
 * @param cards what GPUs it sees and how fast they are, a line each; none where it was asked in
 *     passing
 * @param gpus addresses that Spark gave the task which asked
 * @param product that it was timed with
 * @param gflops of its processors, in GFLOP/s
 * @param threads it was measured with
 * @param heap most bytes of the Java heap
 * @param files what it found of what a run reads and writes
 */
record Machine(
    String process,
    String host,
    String java,
    String backend,
    String kernels,
    String blas,
    String noGpu,
    List<String> cards,
    List<String> gpus,
    Processor processor,
    ProductSpeed product,
    double gflops,
    int threads,
    List<MemoryLimit> limits,
    long heap,
    List<Check> files)
    implements Serializable {

  Machine {
    cards = List.copyOf(cards);
    gpus = List.copyOf(gpus);
    limits = List.copyOf(limits);
    files = List.copyOf(files);
  }

  /**
   * This process.
   *
   * @param threads that it may compute with; 0 for all of the machine's processors
   */
  static Machine here(
      String process, int threads, ProductSpeed product, FileChecks checks, Configuration hadoop) {
    // Before the first product.
    Kernels kernels = KernelSelection.best();
    int processors = Runtime.getRuntime().availableProcessors();
    int used = threads > 0 ? Math.min(threads, processors) : processors;
    return new Machine(
        process,
        hostName(),
        System.getProperty("java.version"),
        Nd4j.getBackend().getClass().getSimpleName(),
        kernels.getClass().getSimpleName(),
        String.valueOf(Nd4j.getNDArrayFactory().blas().getBlasVendor()),
        KernelSelection.gpuUnavailable().orElse(""),
        product.equals(ProductSpeed.QUICK) ? List.of() : describedCards(),
        List.of(TaskDevice.addresses()),
        Processor.here(),
        product,
        product.measure(kernels, used),
        used,
        MemoryLimit.here(),
        Runtime.getRuntime().maxMemory(),
        checks.run(hadoop));
  }

  /** A card that another program has for itself is no reason to say nothing of the others. */
  private static List<String> describedCards() {
    try {
      return KernelSelection.describeGpus();
    } catch (RuntimeException e) {
      return List.of("cannot be asked: " + e.getMessage());
    }
  }

  private static String hostName() {
    try {
      return InetAddress.getLocalHost().getHostName();
    } catch (UnknownHostException e) {
      return "unknown host";
    }
  }

  boolean driver() {
    return process.equals("driver");
  }

  /** How a report calls it. */
  String name() {
    return driver() ? "driver" : "executor " + process + " on " + host;
  }

  /** Its speed, judged. */
  Check speed() {
    return processor.judge(
        "product of %d³, %s".formatted(product.size(), name()), gflops, threads, blas);
  }
}
