package io.guilomo.kernel.cuda;

import io.guilomo.kernel.CheckedKernels;
import io.guilomo.kernel.Operations;
import java.util.List;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * Kernels for an NVIDIA card of compute capability 8.0 or later, with CUDA 11 to 13: matmuls by
 * cuBLAS, and kernels compiled for the card on first use. Frozen matrices may be bfloat16. The same
 * input gives the same bits on the same card and libraries.
 */
final class CudaKernels extends CheckedKernels {
  private final CudaCard card;
  private final CudaProducts products;

  CudaKernels(CudaCard card) {
    this(card, new CudaProducts(card), new CudaRows(card));
  }

  private CudaKernels(CudaCard card, CudaProducts products, CudaRows rows) {
    super(
        new Operations(
            card,
            products,
            rows,
            new CudaLayers(card),
            new CudaAttention(card),
            new CudaExperts(card, rows),
            new CudaVectors(card),
            List.of(DataType.FLOAT, DataType.BFLOAT16)));
    this.card = card;
    this.products = products;
  }

  CudaCard card() {
    return card;
  }

  CudaProducts products() {
    return products;
  }
}
