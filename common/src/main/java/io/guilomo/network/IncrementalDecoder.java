package io.guilomo.network;

import io.guilomo.data.Example;
import io.guilomo.data.TokenBatch;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Reads sequences piece by piece and computes each token once: keys and values of what was read are
 * kept ({@code 2 · layers · keyValueHeads · headDim} floats a token). Sequences are named by their
 * index; a call continues any of them, the others cost nothing.
 *
 * <p>Logits are those of a pass over the whole sequences up to rounding: the last bits of a product
 * depend on the number of its rows.
 *
 * <p>Not thread-safe. A network has at most one open decoder; other passes of the network may run
 * between its calls.
 */
public final class IncrementalDecoder {

  private final PassContext context;
  private final List<Part> parts;
  private final CausalHead head;
  private final KeyValueCache cache;

  IncrementalDecoder(PassContext context, List<Part> parts, CausalHead head, int[] capacities) {
    BackboneConfig config = context.backbone().config();
    for (int capacity : capacities) {
      if (capacity < 1 || capacity > config.maxPositions()) {
        throw new IllegalArgumentException(
            String.format(
                "Cannot keep sequences of %d tokens: the model has %d positions",
                capacity, config.maxPositions()));
      }
    }
    this.context = context;
    this.parts = parts;
    this.head = head;
    this.cache = new KeyValueCache(config.layers(), capacities, context.buffers());
    context.open(cache);
  }

  /** Tokens that were read of a sequence and that a text begins with: it need not read them. */
  public int shared(int sequence, int[] text) {
    return cache.shared(sequence, text);
  }

  /**
   * Forgets what was read of a sequence from a token on.
   *
   * @param length tokens that stay
   */
  public void shorten(int sequence, int length) {
    if (length < 0 || length > cache.length(sequence)) {
      throw new IllegalArgumentException(
          String.format(
              "Cannot shorten a sequence of %d tokens to %d", cache.length(sequence), length));
    }
    cache.shorten(sequence, length);
  }

  /**
   * Reads further tokens.
   *
   * @param sequences which are continued, none twice
   * @param tokens of each, at least one
   * @return logits of the token after the last of each, {@code [sequences, vocabulary]}
   */
  public float[][] read(int[] sequences, List<int[]> tokens) {
    INDArray states = states(sequences, tokens);
    int[] starts = context.batch().starts();
    int[] last = Arrays.stream(starts, 1, starts.length).map(start -> start - 1).toArray();
    return Rows.read(context.kernels(), head.logits(states, last));
  }

  /**
   * Reads further tokens and scores given ones after them. The vocabulary product is run for tokens
   * with a target alone.
   *
   * @param sequences which are continued, none twice
   * @param tokens of each, at least one
   * @param targets what follows each of the tokens, {@link TokenBatch#IGNORED} where that is not to
   *     be scored
   * @return {@code −log p} of every target given all that stands before it, 0 without a target
   */
  public List<float[]> losses(int[] sequences, List<int[]> tokens, List<int[]> targets) {
    INDArray states = states(sequences, tokens);
    int[] all = targets.stream().flatMapToInt(Arrays::stream).toArray();
    if (all.length != context.batch().size()) {
      throw new IllegalArgumentException(
          String.format(
              "Cannot score %d targets after %d tokens", all.length, context.batch().size()));
    }
    int[] rows =
        IntStream.range(0, all.length).filter(row -> all[row] != TokenBatch.IGNORED).toArray();
    float[] scored = head.losses(states, rows, Arrays.stream(rows).map(row -> all[row]).toArray());
    float[] losses = new float[all.length];
    for (int i = 0; i < rows.length; i++) {
      losses[rows[i]] = scored[i];
    }
    int[] starts = context.batch().starts();
    List<float[]> result = new ArrayList<>();
    for (int i = 0; i < sequences.length; i++) {
      result.add(Arrays.copyOfRange(losses, starts[i], starts[i + 1]));
    }
    return result;
  }

  private INDArray states(int[] sequences, List<int[]> tokens) {
    if (sequences.length == 0 || sequences.length != tokens.size()) {
      throw new IllegalArgumentException(
          String.format(
              "Cannot continue %d sequences by %d lists of tokens",
              sequences.length, tokens.size()));
    }
    if (Arrays.stream(sequences).distinct().count() < sequences.length) {
      throw new IllegalArgumentException(
          "Cannot continue a sequence twice at once: " + Arrays.toString(sequences));
    }
    List<Example> examples = new ArrayList<>();
    for (int i = 0; i < sequences.length; i++) {
      int[] next = tokens.get(i);
      int sequence = sequences[i];
      if (cache.length(sequence) + next.length > cache.capacity(sequence)) {
        throw new IllegalArgumentException(
            String.format(
                "Cannot read %d tokens after %d: the sequence has room for %d",
                next.length, cache.length(sequence), cache.capacity(sequence)));
      }
      examples.add(new Example(next, new int[next.length], next));
    }
    context.begin(TokenBatch.of(examples), cache, sequences, tokens);
    INDArray x = null;
    for (Part part : parts) {
      x = part.forward(x);
    }
    return x;
  }
}
