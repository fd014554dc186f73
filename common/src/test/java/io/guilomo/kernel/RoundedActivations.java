package io.guilomo.kernel;

import io.guilomo.kernel.Kernels.Accuracy;
import java.util.concurrent.atomic.AtomicLong;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Rounds what matmuls with frozen matrices read to bfloat16 in passes that allow it, as processors
 * with AVX512_BF16 do.
 */
public final class RoundedActivations implements ObservedKernels.Observer {

  private final AtomicLong rounded = new AtomicLong();
  private volatile Accuracy accuracy = Accuracy.EXACT;

  @Override
  public void before(String kernel, Object[] arguments) {
    if (kernel.equals("accuracy")) {
      accuracy = (Accuracy) arguments[0];
    } else if (kernel.startsWith("matmul") && accuracy == Accuracy.ROUNDED) {
      arguments[0] =
          ((INDArray) arguments[0]).dup().castTo(DataType.BFLOAT16).castTo(DataType.FLOAT);
      rounded.incrementAndGet();
    }
  }

  /** Number of matmuls whose input was rounded. */
  public long rounded() {
    return rounded.get();
  }
}
