package io.guilomo.network;

import io.guilomo.model.UserException;

/**
 * How large the working arrays of a network become, by its definition alone: those that its parts
 * ask {@link Buffers} for, in passes with a backward pass and in passes without one, over batches
 * of sequences of one length whose every token is a label, as the CPU's kernels run them: halves of
 * large ones side by side. Smaller batches need less.
 */
public final class WorkingArrays {

  /** Beyond all memory, and far enough from the largest long to be multiplied. */
  private static final double MOST = 1L << 53;

  private final double elements;

  /**
   * @param sequences of a batch
   * @param length tokens of each
   * @throws UserException if no batch can have so many tokens
   */
  public WorkingArrays(NetworkDefinition definition, int sequences, int length) {
    long tokens = (long) sequences * length;
    if (tokens > Integer.MAX_VALUE) {
      throw new UserException(
          String.format(
              "Cannot run batches of %d sequences of %d tokens: together at most %d",
              sequences, length, Integer.MAX_VALUE));
    }
    int first = Replicas.sequencesOfFirst(true, sequences, tokens);
    // Shorter sequences may make a batch that is not split.
    long unsplit = (Replicas.SPLIT_FROM + length - 1L) / length;
    double all =
        new ReplicaArrays(definition, Math.max(first, Math.min(sequences, unsplit)), length)
            .elements();
    if (first < sequences) {
      all += new ReplicaArrays(definition, sequences - first, length).elements();
      all += ParameterCount.of(definition).all();
    }
    this.elements = all;
  }

  /** Bytes of all arrays; working vectors, which steps ask for, are not among them. */
  public long bytes() {
    return (long) Math.min(MOST, elements * Float.BYTES);
  }
}
