package io.guilomo.kernel;

import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.nativeblas.NativeOpsHolder;

/**
 * Limits the threads of an operation: ND4J's, the linear algebra library's and the kernels' own.
 */
public class ComputeThreads {

  private ComputeThreads() {}

  /** Takes effect for the whole process. */
  public static void limit(int threads) {
    if (threads < 1) {
      throw new IllegalArgumentException(String.format("Cannot compute with %d threads", threads));
    }
    // First: it loads the backend, which the native operations are looked up in.
    Nd4j.getNDArrayFactory().blas().setMaxThreads(threads);
    NativeOpsHolder.getInstance().getDeviceNativeOps().setOmpNumThreads(threads);
    KernelThreads.limit(threads);
  }
}
