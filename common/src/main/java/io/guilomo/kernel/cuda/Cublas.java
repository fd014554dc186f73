package io.guilomo.kernel.cuda;

import com.sun.jna.Native;

/** The functions of cuBLAS that are used, under their names there. Matrices are column-major. */
final class Cublas {
  static final int PLAIN = 0;
  static final int TRANSPOSED = 1;
  static final int FLOAT = 0;
  static final int BFLOAT16 = 14;
  static final int COMPUTE_FLOAT = 68;
  static final int COMPUTE_TF32 = 77;
  static final int DEFAULT_ALGORITHM = -1;

  static {
    Native.register(Cublas.class, CudaLibraries.toolkit("cublas", "cublasLt"));
  }

  private Cublas() {}

  /**
   * Loads the library.
   *
   * @throws LinkageError if there is none
   */
  static void load() {}

  static native int cublasCreate_v2(long[] handle);

  static native int cublasGetVersion_v2(long handle, int[] version);

  static native int cublasSetStream_v2(long handle, long stream);

  static native int cublasSetWorkspace_v2(long handle, long address, long bytes);

  static native int cublasGemmEx(
      long handle,
      int transposeA,
      int transposeB,
      int m,
      int n,
      int k,
      long alpha,
      long a,
      int typeA,
      int strideA,
      long b,
      int typeB,
      int strideB,
      long beta,
      long c,
      int typeC,
      int strideC,
      int computeType,
      int algorithm);

  /** Throws {@link CudaException} if the status is an error. */
  static void check(int status, String what) {
    if (status != 0) {
      throw new CudaException("cuBLAS", "status " + status, what);
    }
  }
}
