package io.guilomo.io;

/** Takes the elements of one array block by block, in row-major order. */
@FunctionalInterface
public interface FloatSink {

  /** Sets {@code count} elements from {@code position} on to the first of {@code values}. */
  void put(long position, float[] values, int count);
}
