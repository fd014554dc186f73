package io.guilomo.kernel.vector;

import io.guilomo.kernel.HostOperations;
import io.guilomo.kernel.Kernels;
import io.guilomo.kernel.QuantizedMatrix;
import java.lang.ref.Reference;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The CPU's operations on matrices of 8-bit integers, which are widened where they are used. */
abstract class QuantizedOperations extends HostOperations implements Kernels {

  @Override
  public void product(
      INDArray a, QuantizedMatrix b, boolean transposeB, INDArray c, boolean accumulate) {
    VectorMemory left = VectorMemory.addressed(a);
    VectorMemory result = VectorMemory.addressed(c);
    NarrowProducts.widened(left, false, new QuantizedMemory(b), transposeB, result, accumulate);
    Reference.reachabilityFence(a);
    Reference.reachabilityFence(c);
  }

  @Override
  public void gatherRows(QuantizedMatrix table, int[] rows, INDArray result, boolean accumulate) {
    VectorRows.gather(new QuantizedMemory(table), rows, VectorMemory.matrix(result), accumulate);
  }
}
