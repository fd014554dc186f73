package io.guilomo.kernel.vector;

import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.mkl.global.mkl_rt;
import org.bytedeco.openblas.global.openblas_nolapack;
import org.nd4j.linalg.api.blas.Blas.Vendor;
import org.nd4j.linalg.factory.Nd4j;
import org.slf4j.LoggerFactory;

/**
 * Matmuls of the linear algebra library that ND4J has loaded, on raw addresses; single-threaded if
 * the library is MKL.
 */
class Blas {
  private static final int ROW_MAJOR = 101;
  private static final int PLAIN = 111;
  private static final int TRANSPOSED = 112;
  private static final boolean MKL = Nd4j.getNDArrayFactory().blas().getBlasVendor() == Vendor.MKL;
  private static final boolean STRICT = MKL && strictMode();
  private static final ThreadLocal<Blas> OF_THREAD = ThreadLocal.withInitial(Blas::new);

  private final Address a = new Address();
  private final Address b = new Address();
  private final Address c = new Address();
  private FloatPointer scratch = new FloatPointer(1);

  private Blas() {}

  /** The instance of the calling thread. */
  static Blas ofThread() {
    if (MKL) {
      // On every call: setting ND4J's threads also sets MKL's for the calling thread.
      mkl_rt.MKL_Set_Num_Threads_Local(1);
    }
    return OF_THREAD.get();
  }

  /**
   * Whether rows, and blocks of 16 columns, have the same bits whether computed alone or with
   * others.
   */
  static boolean strict() {
    return STRICT;
  }

  /** Memory of this thread, valid until the next call. */
  VectorMemory scratch(int rows, int columns) {
    long length = (long) rows * columns;
    if (scratch.capacity() < length) {
      scratch.close();
      scratch = new FloatPointer(length);
    }
    return VectorMemory.at(scratch, rows, columns);
  }

  /** {@code c = alpha · a' · b' + beta · c}, {@code c [m, n]}; strides in elements. */
  void product(
      boolean transposeA,
      boolean transposeB,
      int m,
      int n,
      int k,
      float alpha,
      long addressA,
      int strideA,
      long addressB,
      int strideB,
      float beta,
      long addressC,
      int strideC) {
    openblas_nolapack.cblas_sgemm(
        ROW_MAJOR,
        transposeA ? TRANSPOSED : PLAIN,
        transposeB ? TRANSPOSED : PLAIN,
        m,
        n,
        k,
        alpha,
        a.at(addressA),
        strideA,
        b.at(addressB),
        strideB,
        beta,
        c.at(addressC),
        strideC);
  }

  /** Loads and configures the library, if nothing has used it yet. */
  static void load() {
    ofThread();
  }

  /**
   * MKL's results depend on the number of threads where it splits a sum among them, and by its
   * documentation on the alignment of memory. Its strict mode gives the same bits for all, if set
   * before its first product.
   */
  private static boolean strictMode() {
    int strict = mkl_rt.MKL_CBWR_Get_Auto_Branch() | mkl_rt.MKL_CBWR_STRICT;
    boolean set = mkl_rt.MKL_CBWR_Set(strict) == mkl_rt.MKL_CBWR_SUCCESS;
    if (!set) {
      LoggerFactory.getLogger(Blas.class)
          .warn(
              "Products may differ in their last bits with the number of threads: MKL was in use before");
    }
    return set;
  }

  private static class Address extends FloatPointer {
    Address at(long address) {
      this.address = address;
      return this;
    }
  }
}
