package io.guilomo.kernel.vector;

import org.bytedeco.javacpp.FloatPointer;

/** Memory of a thread for one block of scores; it grows to the largest block requested so far. */
class AttentionScratch {
  private static final ThreadLocal<AttentionScratch> OF_THREAD =
      ThreadLocal.withInitial(AttentionScratch::new);

  private FloatPointer memory;
  private VectorMemory block;

  private AttentionScratch() {}

  /** A block whose rows are padded to whole vectors. Its contents are undefined. */
  static VectorMemory ofThread(int rows, int columns) {
    return OF_THREAD.get().block(rows, columns);
  }

  private VectorMemory block(int rows, int columns) {
    int stride = (columns + VectorMemory.LANES - 1) / VectorMemory.LANES * VectorMemory.LANES;
    if (memory == null || memory.capacity() < (long) rows * stride) {
      memory = new FloatPointer((long) rows * stride);
      block = null;
    }
    if (block == null || block.rows != rows || block.columns != stride) {
      block = VectorMemory.at(memory, rows, stride);
    }
    return block;
  }
}
