package io.guilomo.spark.bench;

import io.guilomo.config.ModelConfig;
import io.guilomo.io.FloatSink;
import io.guilomo.kernel.ArrayViews;
import io.guilomo.kernel.FrozenMatrix;
import io.guilomo.kernel.Kernels;
import java.util.SplittableRandom;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The speed of the fastest of several large products, of the kind taken with frozen weights. */
final class BestProduct implements AutoCloseable {

  private static final int ON_PROCESSORS = 1536;

  /** Larger on a card, and wide, so that rounding the left side takes a small part of the time. */
  private static final int ON_CARD = 8192;

  private static final int WIDTH = 3;
  private static final int BLOCK = 1 << 20;

  private final Kernels kernels;
  private final INDArray a;
  private final FrozenMatrix b;
  private final INDArray c;
  private final Kernels.Accuracy accuracy;
  private double fastest = Double.MAX_VALUE;

  BestProduct(Kernels kernels, ModelConfig.Precision precision) {
    this.kernels = kernels;
    boolean host = kernels.memory().equals(Kernels.HOST);
    int size = host ? ON_PROCESSORS : Integer.getInteger("guilomo.bench.product", ON_CARD);
    int wide = host ? size : WIDTH * size;
    this.accuracy =
        precision == ModelConfig.Precision.FLOAT32
            ? Kernels.Accuracy.EXACT
            : Kernels.Accuracy.ROUNDED;
    this.a = matrix(size, size);
    this.b = kernels.frozen(precision.matrices(), wide, size);
    fill((long) wide * size, b::put);
    this.c = matrix(size, wide);
  }

  private INDArray matrix(int rows, int columns) {
    INDArray flat = kernels.allocate(DataType.FLOAT, (long) rows * columns);
    fill(
        flat.length(),
        (position, values, count) ->
            kernels.write(values, ArrayViews.slice(flat, position, count)));
    return ArrayViews.slice(flat, 0, rows, columns);
  }

  private static void fill(long length, FloatSink target) {
    SplittableRandom random = new SplittableRandom(7);
    float[] block = new float[BLOCK];
    for (int i = 0; i < block.length; i++) {
      block[i] = (float) random.nextDouble(-1, 1);
    }
    for (long done = 0; done < length; done += BLOCK) {
      target.put(done, block, (int) Math.min(BLOCK, length - done));
    }
  }

  void run() {
    kernels.accuracy(accuracy);
    long start = System.nanoTime();
    kernels.matmul(a, b, c, false);
    kernels.finish();
    fastest = Math.min(fastest, (System.nanoTime() - start) / 1e9);
    kernels.accuracy(Kernels.Accuracy.EXACT);
  }

  /** Speed of the fastest product in GFLOP/s. */
  double gflops() {
    return 2.0 * a.size(0) * a.size(1) * b.rows() / fastest / 1e9;
  }

  @Override
  public void close() {
    kernels.release(a);
    kernels.release(b);
    kernels.release(c);
  }
}
