package io.guilomo.kernel;

import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The memory of the device that computes, which the host cannot always read: arrays come from
 * {@link #allocate}, and only {@link #read}, {@link #write} and {@link #fill} move their values.
 */
public interface DeviceMemory {

  /** The {@link #memory} whose arrays the host reads and ND4J computes on. */
  String HOST = "host";

  /**
   * The memory that arrays lie in: {@link #HOST}, or the device's name. Kernels with equal names
   * can read each other's arrays once {@link #finish} has returned.
   */
  String memory();

  /**
   * A vector of undefined content.
   *
   * @param type {@link DataType#FLOAT}, {@link DataType#DOUBLE} or, for frozen matrices where the
   *     device multiplies them, {@link DataType#BFLOAT16}
   * @throws IllegalArgumentException if the device cannot compute with the type
   */
  INDArray allocate(DataType type, long length);

  /** Gives the memory of an array of {@link #allocate} back; views of it are void from now on. */
  void release(INDArray array);

  /**
   * Sets a contiguous array to the first values of {@code source}, rounded to nearest, ties to
   * even, where it is {@link DataType#BFLOAT16}. {@code source} may be reused at once.
   */
  void write(float[] source, INDArray target);

  /** Copies a contiguous array of floats into the first elements of {@code target}. */
  void read(INDArray source, float[] target);

  /** As {@link #read(INDArray, float[])}, of an array of {@link DataType#DOUBLE}. */
  void read(INDArray source, double[] target);

  /** Sets every element of a contiguous array, of any type. */
  void fill(INDArray target, double value);

  /** Memory for the experts that a module's router chooses. */
  ExpertChoice choice(int length);

  /** Gives the memory of a choice back; it is void from now on. */
  void release(ExpertChoice choice);

  /** Waits until everything that was begun is done. */
  void finish();
}
