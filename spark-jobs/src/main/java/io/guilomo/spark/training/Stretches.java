package io.guilomo.spark.training;

import io.guilomo.backbone.FloatMemory;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A flat array cut into stretches of {@link #LENGTH} values: the pieces in which parameters and
 * updater state travel. ND4J's own serialisation writes one value at a time.
 */
final class Stretches {

  static final int LENGTH = 1 << 20;

  private Stretches() {}

  static int count(INDArray flat) {
    return Math.toIntExact((flat.length() + LENGTH - 1) / LENGTH);
  }

  /** Values of one stretch; the last may be shorter. */
  static float[] get(INDArray flat, int stretch) {
    long offset = (long) stretch * LENGTH;
    float[] values = new float[(int) Math.min(LENGTH, flat.length() - offset)];
    FloatMemory.of(flat).get(offset, values, values.length);
    return values;
  }

  /** Overwrites one stretch. */
  static void put(INDArray flat, int stretch, float[] values) {
    FloatMemory.of(flat).put((long) stretch * LENGTH, values, values.length);
  }

  static float[][] all(INDArray flat) {
    return IntStream.range(0, count(flat)).mapToObj(i -> get(flat, i)).toArray(float[][]::new);
  }
}
