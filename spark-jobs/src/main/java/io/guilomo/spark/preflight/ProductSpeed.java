package io.guilomo.spark.preflight;

import io.guilomo.kernel.ComputeThreads;
import io.guilomo.kernel.Kernels;
import java.io.Serializable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * How fast this process multiplies two square matrices of floats.
 *
 * @param size rows and columns
 * @param runs number of products, of which the fastest counts
 */
record ProductSpeed(int size, int runs) implements Serializable {

  /** For {@code doctor}. */
  static final ProductSpeed FULL = new ProductSpeed(1024, 7);

  /** For the start of a job: takes a few hundredths of a second. */
  static final ProductSpeed QUICK = new ProductSpeed(512, 5);

  /** Measures GFLOP/s. */
  double measure(Kernels kernels, int threads) {
    ComputeThreads.limit(threads);
    // Constants, because random numbers would change those that the job draws later.
    INDArray a = Nd4j.valueArrayOf(new long[] {size, size}, 0.5, DataType.FLOAT);
    INDArray b = Nd4j.valueArrayOf(new long[] {size, size}, 0.25, DataType.FLOAT);
    INDArray c = Nd4j.zeros(DataType.FLOAT, size, size);
    long fastest = Long.MAX_VALUE;
    for (int run = 0; run < runs; run++) {
      long start = System.nanoTime();
      kernels.product(a, false, b, true, c, false);
      fastest = Math.min(fastest, System.nanoTime() - start);
    }
    return 2.0 * size * size * size / fastest;
  }
}
