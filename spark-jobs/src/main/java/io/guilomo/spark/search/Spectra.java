package io.guilomo.spark.search;

import dev.ludovic.netlib.blas.BLAS;
import dev.ludovic.netlib.lapack.LAPACK;
import io.guilomo.family.ModelReader;
import io.guilomo.model.LinearModule;
import io.guilomo.model.UserException;
import io.guilomo.plan.HeavyTail;
import java.io.IOException;
import java.io.Serializable;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.SparkContext;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.util.SerializableConfiguration;
import org.netlib.util.intW;

/**
 * How heavy the tails of the frozen weights' spectra are: one task a module, which reads the weight
 * of that module alone.
 */
final class Spectra {

  private record Tail(LinearModule module, double exponent) implements Serializable {}

  static {
    // LAPACK in Java finds the machine's constants in its first call. A second one that runs at the
    // same time may see them as 0, and then never ends.
    eigenvalues(new float[] {2, 1, 1, 2}, 2, 2);
  }

  private Spectra() {}

  /**
   * {@link HeavyTail#exponent} of each module's weight.
   *
   * @param model directory that all executors read
   * @throws UserException if a weight has no such tail
   */
  static Map<LinearModule, Double> exponents(
      SparkContext spark, String model, List<LinearModule> modules) {
    SerializableConfiguration conf = new SerializableConfiguration(spark.hadoopConfiguration());
    Map<LinearModule, Double> exponents = new HashMap<>();
    JavaSparkContext.fromSparkContext(spark)
        .parallelize(modules, modules.size())
        .map(module -> new Tail(module, exponent(model, conf, module)))
        .collect()
        .forEach(tail -> exponents.put(tail.module(), tail.exponent()));
    return exponents;
  }

  private static double exponent(String model, SerializableConfiguration conf, LinearModule module)
      throws IOException {
    float[] weight = ModelReader.weight(model, conf.value(), module);
    double[] eigenvalues = eigenvalues(weight, module.outFeatures(), module.inFeatures());
    try {
      return HeavyTail.exponent(eigenvalues);
    } catch (IllegalArgumentException e) {
      throw new UserException(
          String.format(
              "Cannot allocate experts by the spectrum of %s: %s", module, e.getMessage()),
          e);
    }
  }

  /**
   * The squared singular values of a matrix, ascending: the eigenvalues of {@code W Wᵀ} or {@code
   * WᵀW}, whichever is smaller.
   *
   * @param weight {@code [rows · columns]}, in row-major order
   */
  static double[] eigenvalues(float[] weight, int rows, int columns) {
    double[] values = new double[weight.length];
    for (int i = 0; i < weight.length; i++) {
      values[i] = weight[i];
    }
    // In LAPACK's column-major order it is Wᵀ [columns, rows].
    boolean wide = rows <= columns;
    int n = Math.min(rows, columns);
    int k = Math.max(rows, columns);
    double[] gram = new double[Math.multiplyExact(n, n)];
    BLAS.getInstance().dsyrk("U", wide ? "T" : "N", n, k, 1, values, columns, 0, gram, n);
    double[] eigenvalues = new double[n];
    double[] work = new double[Math.max(1, 34 * n)];
    intW info = new intW(0);
    LAPACK.getInstance().dsyev("N", "U", n, gram, n, eigenvalues, work, work.length, info);
    if (info.val != 0) {
      throw new IllegalStateException(
          "Cannot find the eigenvalues of a matrix [%d, %d]: LAPACK's dsyev says %d"
              .formatted(rows, columns, info.val));
    }
    return eigenvalues;
  }
}
