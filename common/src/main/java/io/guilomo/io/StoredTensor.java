package io.guilomo.io;

import java.io.IOException;
import java.io.OutputStream;
import java.util.Arrays;

/**
 * A tensor to be written, whose elements are produced only then.
 *
 * @param shape empty for a scalar
 * @param content writes all elements, little-endian and row by row
 */
public record StoredTensor(String name, TensorType type, long[] shape, Content content) {

  /** The elements of a tensor. */
  @FunctionalInterface
  public interface Content {

    /** Writes {@link StoredTensor#bytes} bytes. */
    void write(OutputStream out) throws IOException;
  }

  /** Length of the content. */
  public long bytes() {
    return Arrays.stream(shape).reduce(type.bytes(), Math::multiplyExact);
  }

  /** The same tensor under another name. */
  public StoredTensor named(String other) {
    return new StoredTensor(other, type, shape, content);
  }

  /** The same tensor with other elements. */
  public StoredTensor with(Content other) {
    return new StoredTensor(name, type, shape, other);
  }
}
