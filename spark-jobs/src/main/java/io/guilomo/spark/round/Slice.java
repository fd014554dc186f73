package io.guilomo.spark.round;

import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.Serializable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * One of the {@link Slices} of a flat array on its way: the sender reads its values when it is
 * serialised, so that the heap never holds a copy of the whole array; the receiver has its bytes.
 */
final class Slice implements Serializable {

  private static final long serialVersionUID = 1;

  private final int number;
  private transient INDArray flat;
  private transient byte[] bytes;

  private Slice(int number, INDArray flat, byte[] bytes) {
    this.number = number;
    this.flat = flat;
    this.bytes = bytes;
  }

  /**
   * @param flat must not change until the slice is sent
   * @param number of the slice, from 0
   */
  static Slice of(INDArray flat, int number) {
    return new Slice(number, flat, null);
  }

  static Slice of(byte[] bytes) {
    return new Slice(0, null, bytes);
  }

  /** Its values. */
  byte[] bytes() {
    return flat == null ? bytes : Slices.get(flat, number);
  }

  private void writeObject(ObjectOutputStream out) throws IOException {
    out.defaultWriteObject();
    // Unshared: the stream keeps what it may have to refer to.
    out.writeUnshared(bytes());
  }

  private void readObject(ObjectInputStream in) throws IOException, ClassNotFoundException {
    in.defaultReadObject();
    bytes = (byte[]) in.readUnshared();
  }
}
