package io.guilomo.network;

import io.guilomo.kernel.ArrayViews;
import io.guilomo.kernel.Kernels;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Cosines and sines of every position, both {@code [positions, headDim / 2]} (arXiv 2104.09864).
 * One table serves all blocks and replicas of a network that rotate alike.
 *
 * @param flat both, one behind the other
 */
public record RotaryTable(INDArray flat, INDArray cosine, INDArray sine) {

  /**
   * What a table depends on.
   *
   * @param headDim features of a head, all of which are rotated
   * @param positions of the longest sequence
   */
  public record Shape(Rope rope, int headDim, int positions) {}

  /** A table for each distinct shape among the layers of a model. */
  static Map<Shape, RotaryTable> all(BackboneConfig config, Kernels kernels) {
    Map<Shape, RotaryTable> tables = new HashMap<>();
    shapes(config).forEach(shape -> tables.put(shape, of(shape, kernels)));
    return tables;
  }

  /** Elements of {@link #all}. */
  public static long elements(BackboneConfig config) {
    return shapes(config).mapToLong(shape -> (long) shape.positions() * shape.headDim()).sum();
  }

  private static Stream<Shape> shapes(BackboneConfig config) {
    return IntStream.range(0, config.layers())
        .mapToObj(config::rotary)
        .filter(shape -> shape != null)
        .distinct();
  }

  static RotaryTable of(Shape shape, Kernels kernels) {
    double[] frequencies = shape.rope().frequencies(shape.headDim());
    int positions = shape.positions();
    int half = frequencies.length;
    float[] cosine = new float[Math.multiplyExact(positions, half)];
    float[] sine = new float[cosine.length];
    for (int position = 0; position < positions; position++) {
      for (int i = 0; i < half; i++) {
        cosine[position * half + i] = (float) Math.cos(position * frequencies[i]);
        sine[position * half + i] = (float) Math.sin(position * frequencies[i]);
      }
    }
    INDArray flat = kernels.allocate(DataType.FLOAT, 2L * cosine.length);
    RotaryTable table =
        new RotaryTable(
            flat,
            ArrayViews.slice(flat, 0, positions, half),
            ArrayViews.slice(flat, cosine.length, positions, half));
    kernels.write(cosine, table.cosine);
    kernels.write(sine, table.sine);
    return table;
  }
}
