package io.guilomo.network;

import io.guilomo.kernel.AttentionShape;
import io.guilomo.kernel.Kernels;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Keys and values that the tokens of some sequences have in every layer, and which of the sequences
 * the current pass continues. A sequence's tokens are consecutive rows, and it has as many rows as
 * it may grow long: nothing is padded, moved or allocated while the sequences grow.
 */
public final class KeyValueCache {

  private final Buffers buffers;
  private final List<String> keys = new ArrayList<>();
  private final List<String> values = new ArrayList<>();
  private final int[] firstRows;
  private final int[] lengths;
  private final int[] tokens;
  private int[] starts;
  private int[] rows;
  private int[] positions;
  private int[] firstKeys;
  private int[] continued;

  /**
   * @param capacities tokens that each sequence has room for
   * @param buffers whose arrays it takes; another cache in them ends this one
   */
  KeyValueCache(int layers, int[] capacities, Buffers buffers) {
    this.buffers = buffers;
    for (int layer = 0; layer < layers; layer++) {
      keys.add("cache.keys." + layer);
      values.add("cache.values." + layer);
    }
    this.lengths = new int[capacities.length];
    this.firstRows = new int[capacities.length + 1];
    for (int s = 0; s < capacities.length; s++) {
      firstRows[s + 1] = Math.addExact(firstRows[s], capacities[s]);
    }
    this.tokens = new int[firstRows[capacities.length]];
  }

  /** Tokens of a sequence so far. */
  int length(int sequence) {
    return lengths[sequence];
  }

  /** Tokens that a sequence has room for. */
  int capacity(int sequence) {
    return firstRows[sequence + 1] - firstRows[sequence];
  }

  /** Tokens that all sequences have room for, {@code [sequences]}. */
  int[] capacities() {
    int[] capacities = new int[lengths.length];
    Arrays.setAll(capacities, this::capacity);
    return capacities;
  }

  /** Tokens so far that a sequence has in common with the beginning of a text. */
  int shared(int sequence, int[] text) {
    int first = firstRows[sequence];
    int length = Math.min(lengths[sequence], text.length);
    int mismatch = Arrays.mismatch(tokens, first, first + length, text, 0, length);
    return mismatch < 0 ? length : mismatch;
  }

  /** Forgets the tokens of a sequence from the given one on. */
  void shorten(int sequence, int length) {
    lengths[sequence] = length;
  }

  /** Makes the tokens of the next pass the next ones of the given sequences. */
  void begin(int[] sequences, List<int[]> next) {
    starts = new int[sequences.length + 1];
    firstKeys = new int[sequences.length];
    continued = new int[sequences.length];
    int size = next.stream().mapToInt(read -> read.length).sum();
    rows = new int[size];
    positions = new int[size];
    for (int i = 0; i < sequences.length; i++) {
      int sequence = sequences[i];
      int added = next.get(i).length;
      starts[i + 1] = starts[i] + added;
      firstKeys[i] = firstRows[sequence];
      for (int t = 0; t < added; t++) {
        positions[starts[i] + t] = lengths[sequence] + t;
        rows[starts[i] + t] = firstRows[sequence] + lengths[sequence] + t;
      }
      System.arraycopy(next.get(i), 0, tokens, firstRows[sequence] + lengths[sequence], added);
      lengths[sequence] += added;
      continued[i] = lengths[sequence];
    }
  }

  /** Where the tokens of the pass stand in their sequences, {@code [T]}. */
  int[] positions() {
    return positions;
  }

  /**
   * Keeps keys and values of the pass in one layer and attends to those of the sequences so far.
   */
  public void attend(
      Kernels kernels,
      int layer,
      AttentionShape shape,
      INDArray query,
      INDArray key,
      INDArray value,
      INDArray attended) {
    INDArray allKeys = kept(keys.get(layer), key);
    INDArray allValues = kept(values.get(layer), value);
    kernels.scatterRows(key, rows, allKeys);
    kernels.scatterRows(value, rows, allValues);
    kernels.cachedAttention(
        shape, starts, firstKeys, continued, query, allKeys, allValues, attended);
  }

  private INDArray kept(String name, INDArray next) {
    return buffers.array(name, firstRows[lengths.length], next.columns());
  }
}
