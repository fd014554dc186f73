package io.guilomo.kernel.cuda;

import io.guilomo.kernel.CheckedKernels;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * Kernels for an NVIDIA card of compute capability 8.0 or later, over CUDA 11 to 13: cuBLAS for
 * products, and kernels that are compiled for the card when they are first needed. Frozen matrices
 * may be bfloat16. Same bits for the same input on the same card and libraries.
 */
public final class CudaKernels extends CheckedKernels {
  private final CudaOperations operations;

  CudaKernels(CudaOperations operations) {
    super(operations, DataType.FLOAT, DataType.BFLOAT16);
    this.operations = operations;
  }

  CudaOperations operations() {
    return operations;
  }
}
