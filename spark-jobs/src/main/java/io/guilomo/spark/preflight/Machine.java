package io.guilomo.spark.preflight;

import io.guilomo.kernel.KernelSelection;
import io.guilomo.kernel.Kernels;
import io.guilomo.spark.run.Host;
import io.guilomo.spark.worker.TaskDevice;
import java.io.Serializable;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import org.apache.hadoop.conf.Configuration;
import org.nd4j.linalg.factory.Nd4j;

/**
 * What one process reports about itself.
 *
 * @param process {@link #DRIVER}, or the number that Spark gave the executor
 * @param speed of its processors
 * @param limits of its memory outside the Java heap
 * @param heap maximum size of the Java heap, in bytes
 * @param files what it found out about the files of a run
 */
record Machine(
    String process,
    String host,
    Software software,
    Gpus gpus,
    Check speed,
    List<MemoryLimit> limits,
    long heap,
    List<Check> files)
    implements Serializable {

  /** The name of the driver, to Spark too. */
  static final String DRIVER = "driver";

  /**
   * What the process runs.
   *
   * @param java version of Java
   * @param backend ND4J's backend
   * @param kernels implementation of the kernels
   * @param blas library that computes matrix products
   */
  record Software(String java, String backend, String kernels, String blas)
      implements Serializable {}

  /**
   * The GPUs of the process.
   *
   * @param unusable why it cannot use any; empty if it can
   * @param cards the GPUs that it sees and how fast they are, one line each; empty for a quick
   *     check
   * @param assigned addresses that Spark assigned to the task that asked
   */
  record Gpus(String unusable, List<String> cards, List<String> assigned) implements Serializable {}

  Machine {
    limits = List.copyOf(limits);
    files = List.copyOf(files);
  }

  /**
   * Describes this process.
   *
   * @param threads number of threads it may compute with; 0 for all of the machine's processors
   */
  static Machine here(
      String process,
      int threads,
      Processor.Product product,
      FileChecks checks,
      Configuration hadoop) {
    Kernels kernels = product.kernels();
    int processors = Runtime.getRuntime().availableProcessors();
    int used = threads > 0 ? Math.min(threads, processors) : processors;
    Software software =
        new Software(
            System.getProperty("java.version"),
            Nd4j.getBackend().getClass().getSimpleName(),
            kernels.getClass().getSimpleName(),
            kernels.productLibrary());
    Gpus gpus =
        new Gpus(
            KernelSelection.gpuUnavailable().orElse(""),
            product.isQuick() ? List.of() : describedCards(),
            List.of(TaskDevice.addresses()));
    String host = Host.name();
    Check speed =
        Processor.here()
            .judge(
                "product of %d³".formatted(product.size()),
                product.measure(kernels, used),
                used,
                software.blas())
            .and(frozenSpeed(product, kernels))
            .in(name(process, host));
    return new Machine(
        process,
        host,
        software,
        gpus,
        speed,
        MemoryLimit.here(),
        Runtime.getRuntime().maxMemory(),
        checks.run(hadoop));
  }

  /** The speed with weights of fewer bits, if they are kept so. */
  private static String frozenSpeed(Processor.Product product, Kernels kernels) {
    OptionalDouble gflops = product.measureFrozen(kernels);
    return gflops.isPresent()
        ? String.format(
            Locale.ROOT, "; with %s weights %.0f", product.precision(), gflops.getAsDouble())
        : "";
  }

  /**
   * The cards; a card that cannot be asked, such as one in exclusive use, must not end the check.
   */
  private static List<String> describedCards() {
    try {
      return KernelSelection.describeGpus();
    } catch (RuntimeException e) {
      return List.of("cannot be asked: " + e.getMessage());
    }
  }

  boolean driver() {
    return process.equals(DRIVER);
  }

  /** The name used in reports. */
  String name() {
    return name(process, host);
  }

  private static String name(String process, String host) {
    return process.equals(DRIVER) ? process : "executor " + process + " on " + host;
  }
}
