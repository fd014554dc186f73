package io.guilomo.io;

/** Receives the elements of one array in blocks, in row-major order. */
@FunctionalInterface
public interface FloatSink {

  /** Sets {@code count} elements from {@code position} to the first ones of {@code values}. */
  void put(long position, float[] values, int count);
}
