package io.guilomo.kernel;

import static io.guilomo.kernel.KernelArguments.vector;

import org.nd4j.linalg.api.ndarray.INDArray;

/** {@link FlatVectorKernels} that check their arguments. */
interface CheckedVectors extends FlatVectorKernels {

  Operations operations();

  @Override
  default void adamW(
      AdamW settings,
      double learningRate,
      long step,
      INDArray weights,
      INDArray gradient,
      INDArray firstMoment,
      INDArray secondMoment,
      INDArray target,
      boolean advance) {
    vector("weights", weights);
    vector("gradient", gradient, weights.length());
    vector("first moment", firstMoment, weights.length());
    vector("second moment", secondMoment, weights.length());
    vector("target", target, weights.length());
    if (step < 1) {
      throw new IllegalArgumentException(
          String.format("Cannot take step %d of AdamW: steps count from 1", step));
    }
    operations()
        .vectors()
        .adamW(
            settings,
            learningRate,
            step,
            weights,
            gradient,
            firstMoment,
            secondMoment,
            target,
            advance);
  }

  @Override
  default void addScaled(INDArray x, double factor, INDArray y, INDArray target) {
    vector("x", x);
    vector("y", y, x.length());
    vector("target", target, x.length());
    operations().vectors().addScaled(x, factor, y, target);
  }

  @Override
  default void multiply(INDArray x, INDArray y, INDArray target) {
    vector("x", x);
    vector("y", y, x.length());
    vector("target", target, x.length());
    operations().vectors().multiply(x, y, target);
  }

  @Override
  default void scale(INDArray x, double factor) {
    vector("x", x);
    operations().vectors().scale(x, factor);
  }

  @Override
  default double norm(INDArray x) {
    vector("x", x);
    return operations().vectors().norm(x);
  }
}
