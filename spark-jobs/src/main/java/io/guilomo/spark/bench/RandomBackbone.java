package io.guilomo.spark.bench;

import io.guilomo.family.Backbone;
import io.guilomo.family.BertBackbone;
import io.guilomo.family.BertConfig;
import io.guilomo.family.LlamaBackbone;
import io.guilomo.family.LlamaConfig;
import io.guilomo.kernel.ArrayViews;
import io.guilomo.kernel.Kernels;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.DoubleSupplier;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Makes models of random weights where the kernels compute, never all of one on the host. Their
 * matrices repeat one block of values, which products do not notice.
 */
final class RandomBackbone implements AutoCloseable {

  private static final double DEVIATION = 0.02;
  private static final int BLOCK = 1 << 20;

  private final Kernels kernels;
  private final DataType matrices;
  private final float[] block;
  private final List<INDArray> arrays = new ArrayList<>();

  /**
   * @param matrices type of weights and embeddings; vectors are 32-bit floats
   */
  RandomBackbone(Kernels kernels, DataType matrices) {
    this.kernels = kernels;
    this.matrices = matrices;
    Random random = new Random(7);
    // An odd length shifts it from row to row.
    this.block = values(BLOCK - 1, () -> DEVIATION * random.nextGaussian());
  }

  Backbone of(LlamaConfig config) {
    int query = config.heads() * config.headDim();
    int key = config.keyValueHeads() * config.headDim();
    List<LlamaBackbone.Layer> layers = new ArrayList<>();
    for (int layer = 0; layer < config.layers(); layer++) {
      layers.add(
          new LlamaBackbone.Layer(
              vector(config.hidden(), 1),
              matrix(query + 2 * key, config.hidden()),
              matrix(config.hidden(), query),
              vector(config.hidden(), 1),
              matrix(2 * config.intermediate(), config.hidden()),
              matrix(config.hidden(), config.intermediate())));
    }
    return new LlamaBackbone(
        config,
        "random",
        matrix(config.vocabulary(), config.hidden()),
        layers,
        vector(config.hidden(), 1),
        matrix(config.vocabulary(), config.hidden()));
  }

  Backbone of(BertConfig config) {
    int hidden = config.hidden();
    List<BertBackbone.Layer> layers = new ArrayList<>();
    for (int layer = 0; layer < config.layers(); layer++) {
      layers.add(
          new BertBackbone.Layer(
              matrix(3 * hidden, hidden),
              vector(3 * hidden, 0),
              matrix(hidden, hidden),
              vector(hidden, 0),
              norm(hidden),
              matrix(config.intermediate(), hidden),
              vector(config.intermediate(), 0),
              matrix(hidden, config.intermediate()),
              vector(hidden, 0),
              norm(hidden)));
    }
    return new BertBackbone(
        config,
        "random",
        matrix(config.vocabulary(), hidden),
        matrix(config.maxPositions(), hidden),
        matrix(config.segments(), hidden),
        norm(hidden),
        layers);
  }

  private BertBackbone.Norm norm(int size) {
    return new BertBackbone.Norm(vector(size, 1), vector(size, 0));
  }

  private INDArray vector(int size, double value) {
    INDArray vector = allocate(DataType.FLOAT, size);
    kernels.fill(vector, value);
    return vector;
  }

  INDArray matrix(int rows, int columns) {
    long length = (long) rows * columns;
    INDArray flat = allocate(matrices, length);
    for (long done = 0; done < length; done += block.length) {
      kernels.write(block, ArrayViews.stretch(flat, done, Math.min(block.length, length - done)));
    }
    return ArrayViews.stretch(flat, 0, rows, columns);
  }

  private INDArray allocate(DataType type, long length) {
    INDArray array = kernels.allocate(type, length);
    arrays.add(array);
    return array;
  }

  /** Gives the memory of all models back. */
  @Override
  public void close() {
    arrays.forEach(kernels::release);
    arrays.clear();
  }

  private static float[] values(int count, DoubleSupplier next) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) next.getAsDouble();
    }
    return values;
  }
}
