package io.guilomo.kernel;

import org.bytedeco.javacpp.FloatPointer;

/**
 * A thread's own memory for one block of scores; it grows to the largest block the thread has met.
 */
class AttentionScratch {
  private static final ThreadLocal<AttentionScratch> OF_THREAD =
      ThreadLocal.withInitial(AttentionScratch::new);

  private FloatPointer memory;
  private FloatMemory block;

  private AttentionScratch() {}

  /** A block whose rows are padded to whole vectors. Its contents are not defined. */
  static FloatMemory ofThread(int rows, int columns) {
    return OF_THREAD.get().block(rows, columns);
  }

  private FloatMemory block(int rows, int columns) {
    int stride = (columns + FloatMemory.LANES - 1) / FloatMemory.LANES * FloatMemory.LANES;
    if (memory == null || memory.capacity() < (long) rows * stride) {
      memory = new FloatPointer((long) rows * stride);
      block = null;
    }
    if (block == null || block.rows != rows || block.columns != stride) {
      block = FloatMemory.at(memory, rows, stride);
    }
    return block;
  }
}
