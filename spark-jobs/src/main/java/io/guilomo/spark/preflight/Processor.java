package io.guilomo.spark.preflight;

import io.guilomo.config.KernelsConfig.Products;
import io.guilomo.config.ModelConfig.Precision;
import io.guilomo.kernel.ComputeThreads;
import io.guilomo.kernel.FrozenMatrix;
import io.guilomo.kernel.KernelSelection;
import io.guilomo.kernel.Kernels;
import java.io.IOException;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.function.BiConsumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Roughly how fast a processor can multiply float32 matrices: two fused multiply-adds of its widest
 * vectors per cycle and core, at a clock rate that all cores can sustain.
 *
 * @param vectors the widest vectors, by the name Linux gives them; empty if unknown
 * @param coreShare physical cores per logical processor
 */
public record Processor(String vectors, double coreShare) implements Serializable {

  private static final Path INFO = Path.of("/proc/cpuinfo");
  private static final double GIGAHERTZ = 2.5;
  private static final int SUSPICIOUS = 4;

  /** The processor of this machine. */
  static Processor here() {
    try {
      return Files.isReadable(INFO) ? of(Files.readString(INFO, StandardCharsets.UTF_8)) : of("");
    } catch (IOException e) {
      return of("");
    }
  }

  /** Reads the text of {@code /proc/cpuinfo}. */
  static Processor of(String info) {
    List<String> flags = List.of(field(info, "flags").split(" "));
    String vectors = "";
    for (String known : List.of("sse2", "avx", "avx2", "avx512f")) {
      vectors = flags.contains(known) ? known : vectors;
    }
    return new Processor(vectors, coreShare(field(info, "cpu cores"), field(info, "siblings")));
  }

  private static String field(String info, String name) {
    Matcher line = Pattern.compile("(?m)^" + name + "\\s*:\\s*(.*)$").matcher(info);
    return line.find() ? line.group(1).strip() : "";
  }

  private static double coreShare(String cores, String siblings) {
    return cores.matches("[1-9]\\d{0,5}") && siblings.matches("[1-9]\\d{0,5}")
        ? Math.min(1, Double.parseDouble(cores) / Double.parseDouble(siblings))
        : 1;
  }

  /** Approximate GFLOP/s that this number of threads should reach; 0 if unknown. */
  public double expectedGflops(int threads) {
    int operations =
        switch (vectors) {
          case "avx512f" -> 64;
          case "avx2" -> 32;
          case "avx" -> 16;
          case "sse2" -> 8;
          default -> 0;
        };
    return operations * GIGAHERTZ * Math.max(1, threads * coreShare);
  }

  /** Judges the measured speed of a product that the library {@code blas} computed. */
  Check judge(String name, double gflops, int threads, String blas) {
    double expected = expectedGflops(threads);
    if (expected == 0) {
      return Check.ok(name, String.format(Locale.ROOT, "%.0f GFLOP/s by %s", gflops, blas));
    }
    String text =
        String.format(
            Locale.ROOT,
            "%.0f GFLOP/s by %s with %d %s, of about %.0f with %s",
            gflops,
            blas,
            threads,
            threads == 1 ? "thread" : "threads",
            expected,
            vectors);
    return gflops * SUSPICIOUS >= expected
        ? Check.ok(name, text)
        : Check.warning(
            name,
            text
                + ": the machine is busy, or the library does not recognise its processor; use"
                + " -Dorg.bytedeco.openblas.load=mkl, or for OpenBLAS set OPENBLAS_CORETYPE="
                + (vectors.equals("avx512f") ? "SkylakeX" : "Haswell"));
  }

  /**
   * How fast this process multiplies two square matrices of floats.
   *
   * @param size rows and columns
   * @param runs number of products, of which the fastest counts
   * @param library that multiplies
   * @param precision of one of the matrices, as of frozen weights
   */
  record Product(int size, int runs, Products library, Precision precision)
      implements Serializable {
    private static final int FULL = 1024;
    private static final int QUICK = 512;

    /** For {@code doctor}. */
    static Product full(Products library, Precision precision) {
      return new Product(FULL, 7, library, precision);
    }

    /** For the start of a job: takes a few hundredths of a second. */
    static Product quick(Products library) {
      return new Product(QUICK, 5, library, Precision.FLOAT32);
    }

    boolean isQuick() {
      return size == QUICK;
    }

    /** Selects the kernels, before the first product of the process. */
    Kernels kernels() {
      KernelSelection.useProducts(library);
      return KernelSelection.best();
    }

    /** Measures GFLOP/s. */
    double measure(Kernels kernels, int threads) {
      ComputeThreads.limit(threads);
      // Constants, because random numbers would change those that the job draws later.
      INDArray b = Nd4j.valueArrayOf(new long[] {size, size}, 0.25, DataType.FLOAT);
      return measure((a, c) -> kernels.product(a, false, b, true, c, false));
    }

    /** As {@link #measure}, with frozen weights as they are kept; empty if that is float32. */
    OptionalDouble measureFrozen(Kernels kernels) {
      if (precision == Precision.FLOAT32) {
        return OptionalDouble.empty();
      }
      float[] values = new float[size * size];
      Arrays.fill(values, 0.25f);
      FrozenMatrix weight = kernels.frozen(precision.matrices(), size, size);
      weight.put(0, values, values.length);
      kernels.accuracy(Kernels.Accuracy.ROUNDED);
      try {
        return OptionalDouble.of(measure((a, c) -> kernels.matmul(a, weight, c, false)));
      } finally {
        kernels.accuracy(Kernels.Accuracy.EXACT);
        kernels.release(weight);
      }
    }

    private double measure(BiConsumer<INDArray, INDArray> product) {
      INDArray a = Nd4j.valueArrayOf(new long[] {size, size}, 0.5, DataType.FLOAT);
      INDArray c = Nd4j.zeros(DataType.FLOAT, size, size);
      long fastest = Long.MAX_VALUE;
      for (int run = 0; run < runs; run++) {
        long start = System.nanoTime();
        product.accept(a, c);
        fastest = Math.min(fastest, System.nanoTime() - start);
      }
      return 2.0 * size * size * size / fastest;
    }
  }
}
