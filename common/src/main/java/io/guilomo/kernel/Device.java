package io.guilomo.kernel;

import io.guilomo.model.UserException;
import java.util.function.IntConsumer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The device that computes: its memory, how it splits batches, and how precisely it multiplies. The
 * host cannot always read its memory: arrays come from {@link #allocate}, and only {@link #read},
 * {@link #write} and {@link #fill} access their values.
 */
public interface Device {

  /** The {@link #memory} that the host can read and ND4J computes on. */
  String HOST = "host";

  /**
   * The memory that holds the arrays: {@link #HOST}, or the name of the device. Kernels whose
   * memories are equal can use each other's arrays once {@link #finish} has returned.
   */
  String memory();

  /** The library that multiplies matrices, such as {@code MKL}. */
  String productLibrary();

  /**
   * A vector with undefined contents.
   *
   * @param type {@link DataType#FLOAT}, {@link DataType#DOUBLE} or, for frozen matrices, {@link
   *     DataType#BFLOAT16} or a type that the device {@linkplain #keepsHalf keeps}
   */
  INDArray allocate(DataType type, long length);

  /**
   * Frees an array that {@link #allocate} returned; the array and its views must not be used
   * afterwards.
   */
  void release(INDArray array);

  /**
   * A matrix for {@link FrozenMatrix#put} to fill. Kernels with the same {@link #memory} can use
   * each other's matrices.
   *
   * @param type {@link DataType#FLOAT}, {@link DataType#BFLOAT16}, if the device {@linkplain
   *     #keepsHalf keeps} it {@link DataType#HALF}, or on the host {@link DataType#BYTE} for a
   *     {@link QuantizedMatrix}
   * @throws UserException for {@link DataType#BYTE} in another memory
   */
  default FrozenMatrix frozen(DataType type, long rows, long columns) {
    if (type == DataType.BYTE) {
      throw new UserException(
          "Cannot keep weights as int8 in the memory of %s, which multiplies none here: set"
              + " model.precision=bfloat16, or cluster.device=cpu",
          memory());
    }
    return new FrozenArray(this, type, rows, columns);
  }

  /** Whether frozen matrices can be of {@link DataType#HALF}. */
  boolean keepsHalf();

  /** Frees a frozen matrix, which must not be used afterwards. */
  default void release(FrozenMatrix matrix) {
    release(FrozenArray.elements(matrix));
  }

  /**
   * Sets a contiguous array to the first values of {@code source}, rounded to nearest, ties to
   * even, where it is {@link DataType#BFLOAT16}, and exact where it is {@link DataType#HALF} and
   * they have such values. {@code source} may be reused as soon as the method returns.
   */
  void write(float[] source, INDArray target);

  /** Copies a contiguous array of floats into the first elements of {@code target}. */
  void read(INDArray source, float[] target);

  /** As {@link #read(INDArray, float[])}, of an array of {@link DataType#DOUBLE}. */
  void read(INDArray source, double[] target);

  /** Sets every element of a contiguous array, of any type. */
  void fill(INDArray target, double value);

  /** Memory for the choices of one module's router. */
  ExpertChoice choice(int length);

  /** Frees a choice, which must not be used afterwards. */
  void release(ExpertChoice choice);

  /** Waits until all submitted operations have finished. */
  void finish();

  /**
   * Whether running the halves of a large batch concurrently is faster: true where operations wait
   * for their slowest thread, false where each operation fills the device.
   */
  boolean splitsBatches();

  /**
   * Runs {@code body} for each replica of a network, numbered from 0: concurrently, or one after
   * the other where there are too few threads. Operations of a replica use the threads that the
   * other replicas leave idle.
   */
  void runConcurrently(int replicas, IntConsumer body);

  /**
   * Sets the accuracy of the calling thread's matmuls from now on; initially {@link
   * Kernels.Accuracy#EXACT}.
   */
  void accuracy(Kernels.Accuracy accuracy);
}
