package io.guilomo.network;

import io.guilomo.kernel.ArrayViews;
import io.guilomo.kernel.Kernels;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The rotary positions of the tokens of a pass, in layers that rotate alike: a table of cosines and
 * sines (arXiv 2104.09864), which grows with the longest sequences, and where in it each token
 * finds its position. Where frequencies depend on the length of a sequence, this is the sequence's
 * own, or, of one that is read piece by piece, the length that it has room for.
 */
public final class Rotary {

  /** Positions that a table has at least. */
  private static final int LEAST = 64;

  private final Shape shape;
  private final Kernels kernels;
  private final Buffers buffers;
  private final Map<Integer, Integer> firstRows = new HashMap<>();
  private int shared;
  private int[] longer = {};
  private INDArray cosine;
  private INDArray sine;
  private int[] rows;

  /**
   * What a table depends on.
   *
   * @param rotated features of a head that are rotated, its first ones
   * @param positions of the longest sequence
   */
  public record Shape(Rope rope, int rotated, int positions) {

    /** The next power of two, so that tables grow seldom. */
    private int grown(int length) {
      long power = Math.max(LEAST, 2L * Integer.highestOneBit(Math.max(1, length - 1)));
      return (int) Math.min(positions, power);
    }

    private int sharedRows(int length) {
      return Math.min(rope.sameUpTo(), grown(length));
    }
  }

  Rotary(Shape shape, Kernels kernels, Buffers buffers) {
    this.shape = shape;
    this.kernels = kernels;
    this.buffers = buffers;
  }

  /** Those of the layers of a model. */
  static Stream<Shape> shapes(BackboneConfig config) {
    return IntStream.range(0, config.layers())
        .mapToObj(config::rotary)
        .filter(shape -> shape != null)
        .distinct();
  }

  /** Elements of the tables of a model for batches of sequences of one length. */
  static long elements(BackboneConfig config, int length) {
    return shapes(config)
        .mapToLong(
            shape -> {
              boolean longer = length > shape.rope().sameUpTo();
              int own = shape.rope().differsByLength() ? length : shape.grown(length);
              return ((long) shape.sharedRows(length) + (longer ? own : 0)) * shape.rotated();
            })
        .sum();
  }

  /** {@code [rows, rotated / 2]}. */
  public INDArray cosine() {
    return cosine;
  }

  /** {@code [rows, rotated / 2]}. */
  public INDArray sine() {
    return sine;
  }

  /** The row of each token of the pass, {@code [T]}. */
  public int[] rows() {
    return rows;
  }

  /**
   * Begins a pass.
   *
   * @param starts of its sequences, {@code [sequences + 1]}
   * @param lengths of each of them, {@code [sequences]}
   * @param allLengths those and others that later passes may have, without new rows
   * @param positions of the tokens in their sequences, {@code [T]}
   */
  void begin(int[] starts, int[] lengths, int[] allLengths, int[] positions) {
    int same = shape.rope().sameUpTo();
    int longest = Arrays.stream(allLengths).max().orElse(0);
    int[] own = longest > same ? own(allLengths, longest) : longer;
    if (Math.min(longest, same) > shared || !Arrays.equals(own, longer)) {
      fill(Math.max(shared, shape.sharedRows(longest)), own);
    }
    rows = positions;
    for (int i = 0; i < lengths.length; i++) {
      if (lengths[i] > same) {
        rows = rows == positions ? positions.clone() : rows;
        int first = firstRows.get(key(lengths[i]));
        for (int t = starts[i]; t < starts[i + 1]; t++) {
          rows[t] += first;
        }
      }
    }
  }

  /** Lengths of the rows that sequences above the shared ones need. */
  private int[] own(int[] lengths, int longest) {
    if (shape.rope().differsByLength()) {
      int same = shape.rope().sameUpTo();
      return Arrays.stream(lengths).filter(length -> length > same).sorted().distinct().toArray();
    }
    return longer.length > 0 && longer[0] >= longest ? longer : new int[] {shape.grown(longest)};
  }

  private int key(int length) {
    return shape.rope().differsByLength() ? length : 0;
  }

  private void fill(int sharedRows, int[] own) {
    int half = shape.rotated() / 2;
    int count = Math.addExact(sharedRows, Arrays.stream(own).sum());
    float[] cosines = new float[Math.multiplyExact(count, half)];
    float[] sines = new float[cosines.length];
    firstRows.clear();
    fill(sharedRows, 0, cosines, sines);
    int first = sharedRows;
    for (int length : own) {
      fill(length, first, cosines, sines);
      firstRows.put(key(length), first);
      first += length;
    }
    shared = sharedRows;
    longer = own;
    INDArray flat = buffers.array("rotary." + shape, 2L * cosines.length);
    cosine = ArrayViews.slice(flat, 0, count, half);
    sine = ArrayViews.slice(flat, cosines.length, count, half);
    kernels.write(cosines, cosine);
    kernels.write(sines, sine);
  }

  /** Rows of the positions of a sequence of the given length. */
  private void fill(int length, int firstRow, float[] cosines, float[] sines) {
    double[] frequencies = shape.rope().frequencies(shape.rotated(), length);
    double magnitude = shape.rope().magnitude();
    int at = firstRow * frequencies.length;
    for (int position = 0; position < length; position++) {
      for (double frequency : frequencies) {
        cosines[at] = (float) (magnitude * Math.cos(position * frequency));
        sines[at++] = (float) (magnitude * Math.sin(position * frequency));
      }
    }
  }
}
