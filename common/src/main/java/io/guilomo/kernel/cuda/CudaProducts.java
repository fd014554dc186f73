package io.guilomo.kernel.cuda;

import static io.guilomo.kernel.cuda.DeviceArrays.address;
import static io.guilomo.kernel.cuda.DeviceArrays.stride;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Matrix products by cuBLAS. A frozen bfloat16 matrix meets activations rounded to bfloat16 or,
 * where nothing may be lost, their two leading parts, with sums in 32 bits. Used under the stream's
 * lock.
 */
final class CudaProducts {
  private static final long WORKSPACE = 32L << 20;

  private final KernelLaunch launch;
  private final DeviceScratch scratch;
  private final long handle;
  private final Memory constants = new Memory(2L * Float.BYTES);
  private final long one;
  private final long zero;

  CudaProducts(CudaStream stream, KernelLaunch launch, DeviceScratch scratch) {
    this.launch = launch;
    this.scratch = scratch;
    stream.device().use();
    long[] created = new long[1];
    Cublas.check(Cublas.cublasCreate_v2(created), "cublasCreate");
    this.handle = created[0];
    Cublas.check(Cublas.cublasSetStream_v2(handle, stream.handle()), "cublasSetStream");
    // A workspace of its own makes its results the same from run to run.
    Cublas.check(
        Cublas.cublasSetWorkspace_v2(handle, stream.device().allocate(WORKSPACE), WORKSPACE),
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

  /**
   * {@code c = a' · b'} or {@code c += a' · b'}.
   *
   * @param exact whether nothing of {@code a} is rounded away
   */
  void product(
      INDArray a,
      boolean transposeA,
      INDArray b,
      boolean transposeB,
      INDArray c,
      boolean accumulate,
      boolean exact) {
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
    // Rows begin where vectors of eight do.
    long stride = (columns + 7) / 8 * 8;
    long high = scratch.of(DeviceScratch.Use.HIGH, rows * stride * Short.BYTES);
    long low = exact ? scratch.of(DeviceScratch.Use.LOW, rows * stride * Short.BYTES) : 0;
    launch
        .of("rows", "to_bf16_rows")
        .matrix(a)
        .integer((int) rows)
        .integer((int) columns)
        .address(high)
        .address(low)
        .address(stride)
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
