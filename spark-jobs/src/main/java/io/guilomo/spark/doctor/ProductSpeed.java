package io.guilomo.spark.doctor;

import io.guilomo.kernel.ComputeThreads;
import io.guilomo.kernel.Kernels;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** How fast this process multiplies two matrices of 1024 × 1024 floats. */
final class ProductSpeed {

  private static final int SIZE = 1024;
  private static final int RUNS = 7;

  private ProductSpeed() {}

  /** GFLOP/s of the fastest of some products. */
  static double measure(Kernels kernels, int threads) {
    ComputeThreads.limit(threads);
    INDArray a = Nd4j.rand(DataType.FLOAT, SIZE, SIZE);
    INDArray b = Nd4j.rand(DataType.FLOAT, SIZE, SIZE);
    INDArray c = Nd4j.zeros(DataType.FLOAT, SIZE, SIZE);
    long fastest = Long.MAX_VALUE;
    for (int run = 0; run < RUNS; run++) {
      long start = System.nanoTime();
      kernels.product(a, false, b, true, c, false);
      fastest = Math.min(fastest, System.nanoTime() - start);
    }
    return 2.0 * SIZE * SIZE * SIZE / fastest;
  }
}
