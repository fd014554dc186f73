package io.guilomo.kernel.vector;

import java.util.Optional;
import org.bytedeco.dnnl.dnnl_version_t;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.javacpp.FloatPointer;

/**
 * oneDNN, which takes matrices as they lie in memory. Weights packed once in its own layout were
 * only 2 to 9 % faster than plain ones, and would double the memory of frozen matrices: forward and
 * backward products want different layouts.
 */
final class OneDnnProducts implements Products {
  private static final byte PLAIN = 'N';
  private static final byte TRANSPOSED = 'T';

  OneDnnProducts() {
    useOneThread();
  }

  /** Why it cannot be used here, in one line; empty if it can. */
  static Optional<String> unavailable() {
    try {
      new OneDnnProducts();
      return Optional.empty();
    } catch (LinkageError e) {
      return Optional.of("oneDNN cannot be loaded: " + e.getMessage());
    }
  }

  /** Whether the processor has AVX-512. */
  static boolean wideVectors() {
    return has(dnnl.dnnl_cpu_isa_avx512_core);
  }

  /** Whether it may use a kind of instructions on this processor. */
  static boolean has(int instructions) {
    return (dnnl.dnnl_get_effective_cpu_isa() & instructions) == instructions;
  }

  @Override
  public String name() {
    dnnl_version_t version = dnnl.dnnl_version();
    return "oneDNN %d.%d.%d".formatted(version.major(), version.minor(), version.patch());
  }

  @Override
  public void useOneThread() {
    // Before every product: setting ND4J's threads may set OpenMP's for the calling thread.
    OpenMp.omp_set_num_threads(1);
  }

  @Override
  public boolean strict() {
    return false;
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
    int status =
        dnnl.dnnl_sgemm(
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
    if (status != dnnl.dnnl_success) {
      throw new IllegalStateException(
          "oneDNN refused a product of [%d, %d] by [%d, %d]: status %d"
              .formatted(m, k, k, n, status));
    }
  }
}
