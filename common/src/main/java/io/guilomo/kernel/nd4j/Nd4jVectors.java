package io.guilomo.kernel.nd4j;

import io.guilomo.kernel.AdamW;
import io.guilomo.kernel.FlatVectorKernels;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.impl.transforms.pairwise.arithmetic.MulOp;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.ops.transforms.Transforms;

/** Arithmetic on flat vectors. */
final class Nd4jVectors implements FlatVectorKernels {

  @Override
  public void adamW(
      AdamW settings,
      double learningRate,
      long step,
      INDArray weights,
      INDArray gradient,
      INDArray firstMoment,
      INDArray secondMoment,
      INDArray target,
      boolean advance) {
    INDArray first = firstMoment.mul(settings.beta1()).addi(gradient.mul(1 - settings.beta1()));
    INDArray second =
        secondMoment.mul(settings.beta2()).addi(gradient.mul(gradient).muli(1 - settings.beta2()));
    if (advance) {
      firstMoment.assign(first);
      secondMoment.assign(second);
    }
    double correction = Math.sqrt(1 - Math.pow(settings.beta2(), step));
    INDArray denominator = Transforms.sqrt(second, false).divi(correction).addi(settings.epsilon());
    INDArray change =
        first.divi(denominator).muli(learningRate / (1 - Math.pow(settings.beta1(), step)));
    target.assign(weights.mul(1 - learningRate * settings.weightDecay()).subi(change));
  }

  @Override
  public void addScaled(INDArray x, double factor, INDArray y, INDArray target) {
    target.assign(y.mul(factor).addi(x));
  }

  @Override
  public void multiply(INDArray x, INDArray y, INDArray target) {
    Nd4j.exec(new MulOp(x, y, target));
  }

  @Override
  public void scale(INDArray x, double factor) {
    x.muli(factor);
  }

  @Override
  public double norm(INDArray x) {
    return x.castTo(DataType.DOUBLE).norm2Number().doubleValue();
  }
}
