package io.guilomo.kernel.vector;

import java.util.Optional;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.mkl.global.mkl_rt;
import org.bytedeco.openblas.global.openblas_nolapack;
import org.nd4j.linalg.api.blas.Blas.Vendor;
import org.nd4j.linalg.factory.Nd4j;
import org.slf4j.LoggerFactory;

/** The library that ND4J has loaded; single-threaded if it is MKL. */
final class BlasProducts implements Products {
  private static final int ROW_MAJOR = 101;
  private static final int PLAIN = 111;
  private static final int TRANSPOSED = 112;
  private static final String LOAD = "org.bytedeco.openblas.load";
  private static final Vendor VENDOR = Nd4j.getNDArrayFactory().blas().getBlasVendor();
  private static final boolean MKL = VENDOR == Vendor.MKL;
  private static final boolean STRICT = MKL && strictMode();

  static {
    otherThanWanted(System.getProperty(LOAD), VENDOR)
        .ifPresent(LoggerFactory.getLogger(BlasProducts.class)::warn);
  }

  /** Loads and configures the library, if nothing has used it yet. */
  BlasProducts() {
    useOneThread();
  }

  @Override
  public String name() {
    return String.valueOf(VENDOR);
  }

  @Override
  public void useOneThread() {
    if (MKL) {
      // Before every product: setting ND4J's threads also sets MKL's for the calling thread.
      mkl_rt.MKL_Set_Num_Threads_Local(1);
    }
  }

  @Override
  public boolean strict() {
    return STRICT;
  }

  @Override
  public void product(
      boolean transposeA,
      boolean transposeB,
      int m,
      int n,
      int k,
      float alpha,
      FloatPointer a,
      int strideA,
      FloatPointer b,
      int strideB,
      float beta,
      FloatPointer c,
      int strideC) {
    openblas_nolapack.cblas_sgemm(
        ROW_MAJOR,
        transposeA ? TRANSPOSED : PLAIN,
        transposeB ? TRANSPOSED : PLAIN,
        m,
        n,
        k,
        alpha,
        a,
        strideA,
        b,
        strideB,
        beta,
        c,
        strideC);
  }

  /**
   * JavaCPP's cache holds one BLAS for all processes of a user on a machine, and a process that
   * starts replaces it unlocked.
   */
  static Optional<String> otherThanWanted(String load, Vendor loaded) {
    return "mkl".equals(load) && loaded == Vendor.OPENBLAS
        ? Optional.of(
            "Cannot multiply with MKL (-D%s=mkl): ND4J has loaded OPENBLAS, whose last bits differ and which uses threads of its own; if another process starts without that option, give it a cache of its own (-Dorg.bytedeco.javacpp.cachedir)"
                .formatted(LOAD))
        : Optional.empty();
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
      LoggerFactory.getLogger(BlasProducts.class)
          .warn(
              "Products may differ in their last bits with the number of threads: MKL was in use before");
    }
    return set;
  }
}
