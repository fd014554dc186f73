package io.guilomo.network;

import io.guilomo.kernel.Kernels;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The rotary positions of the tokens of a pass, in layers that rotate alike. Where frequencies
 * depend on the length of a sequence, this is the sequence's own, or, of one that is read piece by
 * piece, the length that it has room for.
 */
public final class Rotary {

  private final RotaryTable.Shape shape;
  private final Kernels kernels;
  private final Buffers buffers;
  private final Map<Integer, Integer> firstRows = new HashMap<>();
  private RotaryTable table;
  private RotaryRows shared;
  private int[] lengths = {};
  private int[] rows;

  /**
   * @param table null where passes fill one of their own
   */
  Rotary(RotaryTable.Shape shape, RotaryTable table, Kernels kernels, Buffers buffers) {
    this.shape = shape;
    this.table = table;
    this.kernels = kernels;
    this.buffers = buffers;
  }

  /** {@code [rows, rotated / 2]}. */
  public INDArray cosine() {
    return table.cosine();
  }

  /** {@code [rows, rotated / 2]}. */
  public INDArray sine() {
    return table.sine();
  }

  /** The row of each token of the pass, {@code [T]}. */
  public int[] rows() {
    return rows;
  }

  /**
   * Begins a pass.
   *
   * @param starts of its sequences, {@code [sequences + 1]}
   * @param sequenceLengths of each of them, {@code [sequences]}
   * @param allLengths those and others that later passes may have, without new rows
   * @param positions of the tokens in their sequences, {@code [T]}
   */
  void begin(int[] starts, int[] sequenceLengths, int[] allLengths, int[] positions) {
    int same = shape.sharedRows();
    if (same == shape.positions() && !shape.rope().differsByLength()) {
      rows = positions;
      return;
    }
    if (shape.rope().differsByLength()) {
      fill(Arrays.stream(allLengths).filter(length -> length > same).sorted().distinct().toArray());
    }
    if (Arrays.stream(sequenceLengths).allMatch(length -> length <= same)) {
      rows = positions;
      return;
    }
    rows = positions.clone();
    for (int i = 0; i < sequenceLengths.length; i++) {
      if (sequenceLengths[i] > same) {
        int first = firstRows.getOrDefault(sequenceLengths[i], same);
        for (int t = starts[i]; t < starts[i + 1]; t++) {
          rows[t] += first;
        }
      }
    }
  }

  /** Fills a table with rows of sequences of these lengths behind those that all share. */
  private void fill(int[] longer) {
    if (table != null && Arrays.equals(longer, lengths)) {
      return;
    }
    if (shared == null) {
      shared = new RotaryRows(shape, shape.sharedRows());
      shared.append(shape.sharedRows(), shape.sharedRows());
    }
    int count = Math.addExact(shape.sharedRows(), Arrays.stream(longer).sum());
    RotaryRows all = new RotaryRows(shared, count);
    firstRows.clear();
    int first = shape.sharedRows();
    for (int length : longer) {
      all.append(length, length);
      firstRows.put(length, first);
      first += length;
    }
    lengths = longer;
    INDArray flat = buffers.array("rotary." + shape, (long) count * shape.rotated());
    table = RotaryTable.in(flat, all, kernels);
  }
}
