package io.guilomo.kernel.cuda;

import static io.guilomo.kernel.cuda.DeviceArrays.address;
import static io.guilomo.kernel.cuda.DeviceArrays.stride;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import io.guilomo.kernel.MatmulKernels;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Matmuls by cuBLAS. A bfloat16 matrix is multiplied by activations rounded to bfloat16 or, with
 * {@link io.guilomo.kernel.Kernels.Accuracy#EXACT}, split into their two leading bfloat16 parts;
 * sums are in 32 bits.
 */
final class CudaProducts implements MatmulKernels {
  private static final long WORKSPACE = 32L << 20;

  private final CudaCard card;
  private final long handle;
  private final Memory constants = new Memory(2L * Float.BYTES);
  private final long one;
  private final long zero;

  CudaProducts(CudaCard card) {
    this.card = card;
    card.stream().device().use();
    long[] created = new long[1];
    Cublas.check(Cublas.cublasCreate_v2(created), "cublasCreate");
    this.handle = created[0];
    Cublas.check(Cublas.cublasSetStream_v2(handle, card.stream().handle()), "cublasSetStream");
    // A fixed workspace makes results reproducible from run to run.
    Cublas.check(
        Cublas.cublasSetWorkspace_v2(handle, card.stream().device().allocate(WORKSPACE), WORKSPACE),
        "cublasSetWorkspace");
    constants.setFloat(0, 1);
    constants.setFloat(Float.BYTES, 0);
    this.one = Pointer.nativeValue(constants);
    this.zero = one + Float.BYTES;
  }

  /** Such as {@code 13.0.2}. */
  String version() {
    int[] version = new int[1];
    Cublas.check(Cublas.cublasGetVersion_v2(handle, version), "cublasGetVersion");
    int number = version[0];
    int major = number >= 100_000 ? number / 10_000 : number / 1000;
    int rest = number >= 100_000 ? number % 10_000 : number % 1000;
    return major + "." + rest / 100 + "." + rest % 100;
  }

  @Override
  public void product(
      INDArray a,
      boolean transposeA,
      INDArray b,
      boolean transposeB,
      INDArray c,
      boolean accumulate) {
    synchronized (card.stream()) {
      card.stream().device().use();
      boolean exact = card.exact();
      if (b.dataType() != DataType.BFLOAT16) {
        int compute = exact ? Cublas.COMPUTE_FLOAT : Cublas.COMPUTE_TF32;
        multiply(
            new Operand(address(a), stride(a), transposeA, Cublas.FLOAT),
            new Operand(address(b), stride(b), transposeB, Cublas.FLOAT),
            a.size(transposeA ? 0 : 1),
            c,
            accumulate,
            compute);
        return;
      }
      long rows = a.size(0);
      long columns = a.size(1);
      // Align rows to vectors of eight.
      long stride = (columns + 7) / 8 * 8;
      long high = card.scratch().of(DeviceScratch.Use.HIGH, rows * stride * Short.BYTES);
      long low = exact ? card.scratch().of(DeviceScratch.Use.LOW, rows * stride * Short.BYTES) : 0;
      card.launch("rows", "to_bf16_rows")
          .matrix(a)
          .integer((int) rows, (int) columns)
          .address(high, low, stride)
          .rows(rows, columns);
      Operand frozen = new Operand(address(b), stride(b), transposeB, Cublas.BFLOAT16);
      long inner = a.size(transposeA ? 0 : 1);
      Operand rounded = new Operand(high, stride, transposeA, Cublas.BFLOAT16);
      multiply(rounded, frozen, inner, c, accumulate, Cublas.COMPUTE_FLOAT);
      if (exact) {
        Operand rest = new Operand(low, stride, transposeA, Cublas.BFLOAT16);
        multiply(rest, frozen, inner, c, true, Cublas.COMPUTE_FLOAT);
      }
    }
  }

  private record Operand(long address, long stride, boolean transposed, int type) {
    int operation() {
      return transposed ? Cublas.TRANSPOSED : Cublas.PLAIN;
    }
  }

  /** cuBLAS reads rows as columns: it is asked for {@code cᵀ = b'ᵀ · a'ᵀ}. */
  private void multiply(
      Operand a, Operand b, long inner, INDArray c, boolean accumulate, int compute) {
    int status =
        Cublas.cublasGemmEx(
            handle,
            b.operation(),
            a.operation(),
            (int) c.size(1),
            (int) c.size(0),
            (int) inner,
            one,
            b.address(),
            b.type(),
            (int) b.stride(),
            a.address(),
            a.type(),
            (int) a.stride(),
            accumulate ? one : zero,
            address(c),
            Cublas.FLOAT,
            (int) stride(c),
            compute,
            Cublas.DEFAULT_ALGORITHM);
    if (status != 0) {
      Cublas.check(
          status,
          "a product of [%d, %d] by [%d, %d]".formatted(c.size(0), inner, inner, c.size(1)));
    }
  }
}
