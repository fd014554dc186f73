package io.guilomo.network;

import io.guilomo.config.Recompute;
import io.guilomo.model.UserException;
import io.guilomo.network.Extent.PassShape;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * How large the working arrays of a network become, by its definition alone: the sum of what its
 * parts declare, for batches of sequences of one length whose every token is a label, as the CPU's
 * kernels run them: halves of large ones concurrently. Smaller batches need less.
 */
public final class WorkingArrays {

  /** Beyond all memory, and far enough from the largest long to be multiplied. */
  private static final double MOST = 1L << 53;

  private final double elements;

  /**
   * @param recompute what the backward pass computes again
   * @param sequences of a batch
   * @param length tokens of each
   * @throws UserException if no batch can have that many tokens
   */
  public WorkingArrays(
      NetworkDefinition definition, Recompute recompute, int sequences, int length) {
    long tokens = (long) sequences * length;
    if (tokens > Integer.MAX_VALUE) {
      throw new UserException(
          "Cannot run batches of %d sequences of %d tokens: together at most %d",
          sequences, length, Integer.MAX_VALUE);
    }
    List<WorkingArray> arrays =
        PartSpec.all(definition).stream().flatMap(spec -> spec.build().arrays().stream()).toList();
    double rotary = Rotary.elements(definition.config(), length);
    int first = Replicas.sequencesOfFirst(true, sequences, tokens);
    // Shorter sequences may make a batch that is not split.
    long unsplit = (Replicas.SPLIT_FROM + length - 1L) / length;
    double all =
        rotary + elements(arrays, recompute, Math.max(first, Math.min(sequences, unsplit)), length);
    if (first < sequences) {
      all += rotary + elements(arrays, recompute, sequences - first, length);
      all += ParameterCount.of(definition).all();
    }
    this.elements = all;
  }

  /** Elements of one replica's; as a double, because sizes of large models and batches overflow. */
  private static double elements(
      List<WorkingArray> arrays, Recompute recompute, long sequences, long length) {
    PassShape shape = PassShape.uniform(sequences, length);
    Map<String, Long> sizes = new HashMap<>();
    for (WorkingArray array : arrays) {
      for (boolean forward : new boolean[] {false, true}) {
        sizes.merge(array.name(recompute, forward), array.elements(shape), Math::max);
      }
    }
    return sizes.values().stream().mapToDouble(Long::doubleValue).sum();
  }

  /** Bytes of all arrays; working vectors, which steps ask for, are not among them. */
  public long bytes() {
    return (long) Math.min(MOST, elements * Float.BYTES);
  }
}
