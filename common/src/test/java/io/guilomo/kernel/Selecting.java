package io.guilomo.kernel;

import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** A process that selects kernels and uses them once. */
class Selecting {

  public static void main(String[] arguments) {
    ComputeThreads.limit(1);
    try {
      Kernels kernels = KernelSelection.best();
      INDArray result = Nd4j.create(1, 1);
      INDArray a = Nd4j.createFromArray(new float[][] {{1, 2}});
      INDArray b = Nd4j.createFromArray(new float[][] {{3, 4}});
      kernels.product(a, false, b, true, result, false);
      System.out.println(kernels.getClass().getSimpleName() + " " + result.getFloat(0, 0));
    } catch (IllegalArgumentException e) {
      System.out.println(e.getMessage());
    }
  }
}
