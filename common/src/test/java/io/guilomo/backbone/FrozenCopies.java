package io.guilomo.backbone;

import io.guilomo.kernel.Kernels;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * Backbones for kernels under test, whose matrices are of the type that the system property {@code
 * guilomo.test.precision} names: {@code FLOAT}, as without it, or {@code BFLOAT16}.
 */
public final class FrozenCopies {

  private FrozenCopies() {}

  /** A backbone of the host in the memory of kernels. */
  public static Backbone of(Backbone host, Kernels kernels) {
    return memory(kernels).of(host);
  }

  public static FrozenMemory memory(Kernels kernels) {
    String type = System.getProperty("guilomo.test.precision", DataType.FLOAT.name());
    return new FrozenMemory(kernels, DataType.valueOf(type));
  }
}
