package io.guilomo.data;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The sequences of a batch, concatenated without padding.
 *
 * @param tokens token ids, {@code [T]}
 * @param segments token type ids, {@code [T]}; all 0 for decoders
 * @param labels {@code [T]}, {@link #IGNORED} at positions without loss. Causal language models:
 *     the token itself (the model shifts). Classification: the class at the first token of each
 *     sequence, ignored elsewhere
 * @param starts sequence {@code i} is {@code starts[i] .. starts[i + 1] - 1}; {@code [sequences +
 *     1]}
 */
public record TokenBatch(int[] tokens, int[] segments, int[] labels, int[] starts) {

  /** Label of a position without loss. */
  public static final int IGNORED = -100;

  private static final int PADDING = -1;

  public int sequences() {
    return starts.length - 1;
  }

  /** Number of tokens; there is no padding. */
  public int size() {
    return tokens.length;
  }

  public int length(int sequence) {
    return starts[sequence + 1] - starts[sequence];
  }

  public int longest() {
    return IntStream.range(0, sequences()).map(this::length).max().orElse(0);
  }

  public TokenBatch sequences(int from, int to) {
    int first = starts[from];
    int end = starts[to];
    int[] own = new int[to - from + 1];
    for (int i = 0; i < own.length; i++) {
      own[i] = starts[from + i] - first;
    }
    return new TokenBatch(
        Arrays.copyOfRange(tokens, first, end),
        Arrays.copyOfRange(segments, first, end),
        Arrays.copyOfRange(labels, first, end),
        own);
  }

  /** Index of every token in its sequence, {@code [T]}. */
  public int[] positions() {
    int[] positions = new int[size()];
    for (int i = 0; i < sequences(); i++) {
      for (int t = starts[i]; t < starts[i + 1]; t++) {
        positions[t] = t - starts[i];
      }
    }
    return positions;
  }

  public static TokenBatch of(List<Example> examples) {
    int[] starts = new int[examples.size() + 1];
    for (int i = 0; i < examples.size(); i++) {
      starts[i + 1] = starts[i] + examples.get(i).length();
    }
    int size = starts[examples.size()];
    TokenBatch batch = new TokenBatch(new int[size], new int[size], new int[size], starts);
    for (int i = 0; i < examples.size(); i++) {
      Example example = examples.get(i);
      System.arraycopy(example.tokens(), 0, batch.tokens, starts[i], example.length());
      System.arraycopy(example.segments(), 0, batch.segments, starts[i], example.length());
      System.arraycopy(example.labels(), 0, batch.labels, starts[i], example.length());
    }
    return batch;
  }

  /**
   * The form in which DL4J transports a batch: {@code [sequences, 3, longest]} with tokens,
   * segments and labels, padded on the right with −1. Exact in float32 up to 16,777,216.
   */
  public INDArray toArray() {
    int longest = longest();
    float[] values = new float[sequences() * 3 * longest];
    Arrays.fill(values, PADDING);
    for (int i = 0; i < sequences(); i++) {
      for (int t = 0; t < length(i); t++) {
        int at = i * 3 * longest + t;
        values[at] = tokens[starts[i] + t];
        values[at + longest] = segments[starts[i] + t];
        values[at + 2 * longest] = labels[starts[i] + t];
      }
    }
    return Nd4j.createFromArray(values)
        .reshape('c', sequences(), 3, longest)
        .castTo(DataType.FLOAT);
  }

  /** The inverse of {@link #toArray()}. */
  public static TokenBatch of(INDArray array) {
    if (array.rank() != 3 || array.size(1) != 3) {
      throw new IllegalArgumentException(
          "Cannot read a token batch from an array of shape "
              + Arrays.toString(array.shape())
              + ": expected [sequences, 3, longest]");
    }
    int sequences = (int) array.size(0);
    int longest = (int) array.size(2);
    float[] values = array.dup('c').data().asFloat();
    int[] starts = new int[sequences + 1];
    for (int i = 0; i < sequences; i++) {
      int length = 0;
      while (length < longest && values[i * 3 * longest + length] != PADDING) {
        length++;
      }
      starts[i + 1] = starts[i] + length;
    }
    int size = starts[sequences];
    TokenBatch batch = new TokenBatch(new int[size], new int[size], new int[size], starts);
    for (int i = 0; i < sequences; i++) {
      for (int t = 0; t < batch.length(i); t++) {
        int at = i * 3 * longest + t;
        batch.tokens[starts[i] + t] = (int) values[at];
        batch.segments[starts[i] + t] = (int) values[at + longest];
        batch.labels[starts[i] + t] = (int) values[at + 2 * longest];
      }
    }
    return batch;
  }
}
