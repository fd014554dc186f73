package io.guilomo.sizing;

/**
 * Memory of one process that trains, in bytes.
 *
 * @param backbone the frozen tensors
 * @param trainable parameters of each task
 * @param gradients of each task
 * @param updaters two moments of every trainable parameter of each task
 * @param vectors copies of weights and GSVs that a step keeps
 * @param activations working arrays of each task
 * @param heap of the Java heap: parameters and updater state as they are received and sent
 */
public record ExecutorMemory(
    long backbone,
    long trainable,
    long gradients,
    long updaters,
    long vectors,
    long activations,
    long heap) {

  /** Bytes outside the Java heap. */
  public long offHeap() {
    return backbone + trainable + gradients + updaters + vectors + activations;
  }

  /** The parts of {@link MemoryEstimate#executorWithGpu} in words. */
  public String partsWithGpu() {
    return "trainable "
        + ByteSize.text(trainable)
        + ", gradients "
        + ByteSize.text(gradients)
        + ", updaters "
        + ByteSize.text(updaters);
  }

  /** The parts outside the Java heap in words, such as {@code backbone 9.1 GB, …}. */
  public String parts() {
    return "backbone "
        + ByteSize.text(backbone)
        + ", trainable "
        + ByteSize.text(trainable)
        + ", gradients "
        + ByteSize.text(gradients + vectors)
        + ", updaters "
        + ByteSize.text(updaters)
        + ", activations "
        + ByteSize.text(activations);
  }
}
