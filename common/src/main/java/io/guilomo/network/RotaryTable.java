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
 * Cosines and sines of every position, both {@code [rows, rotated / 2]} (arXiv 2104.09864). One
 * table serves all blocks and replicas of a network that rotate alike; where in it a token finds
 * its position, {@link Rotary} says.
 *
 * @param flat both, one behind the other
 */
public record RotaryTable(INDArray flat, INDArray cosine, INDArray sine) {

  /**
   * What a table depends on.
   *
   * @param rotated features of a head that are rotated, its first ones
   * @param positions of the longest sequence
   */
  public record Shape(Rope rope, int rotated, int positions) {

    /** Rows of sequences that all have the same frequencies, which are the first. */
    int sharedRows() {
      return Math.min(rope.sameUpTo(), positions);
    }

    /** Rows that no batch changes. */
    int fixedRows() {
      boolean two = sharedRows() < positions && !rope.differsByLength();
      return two ? Math.addExact(sharedRows(), positions) : sharedRows();
    }
  }

  /** A table for each distinct shape among the layers of a model. */
  static Map<Shape, RotaryTable> all(BackboneConfig config, Kernels kernels) {
    Map<Shape, RotaryTable> tables = new HashMap<>();
    shapes(config)
        .filter(shape -> !shape.rope().differsByLength())
        .forEach(shape -> tables.put(shape, of(shape, kernels)));
    return tables;
  }

  /**
   * Elements of {@link #all}, and of what the passes over batches add.
   *
   * @param tokens of a batch
   */
  public static long elements(BackboneConfig config, long tokens) {
    return shapes(config)
        .mapToLong(
            shape ->
                (shape.fixedRows() + (shape.rope().differsByLength() ? tokens : 0))
                    * shape.rotated())
        .sum();
  }

  static Stream<Shape> shapes(BackboneConfig config) {
    return IntStream.range(0, config.layers())
        .mapToObj(config::rotary)
        .filter(shape -> shape != null)
        .distinct();
  }

  private static RotaryTable of(Shape shape, Kernels kernels) {
    RotaryRows rows = new RotaryRows(shape, shape.fixedRows());
    rows.append(shape.sharedRows(), shape.sharedRows());
    if (shape.fixedRows() > shape.sharedRows()) {
      rows.append(shape.positions(), shape.positions());
    }
    INDArray flat = kernels.allocate(DataType.FLOAT, (long) shape.fixedRows() * shape.rotated());
    return in(flat, rows, kernels);
  }

  /** The table of the given rows in an array that is as large. */
  static RotaryTable in(INDArray flat, RotaryRows rows, Kernels kernels) {
    float[] cosine = rows.cosine();
    int half = rows.columns();
    int count = cosine.length / half;
    RotaryTable table =
        new RotaryTable(
            flat,
            ArrayViews.slice(flat, 0, count, half),
            ArrayViews.slice(flat, cosine.length, count, half));
    kernels.write(cosine, table.cosine);
    kernels.write(rows.sine(), table.sine);
    return table;
  }
}
