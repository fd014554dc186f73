package io.guilomo.kernel;

import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.impl.transforms.pairwise.arithmetic.MulOp;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.ops.transforms.Transforms;

/** The portable operations of {@link Nd4jOperations} for the loss and for flat vectors. */
abstract class Nd4jSteps extends HostOperations {

  @Override
  public void crossEntropy(
      INDArray logits,
      int[] labels,
      float scale,
      boolean gradient,
      INDArray losses,
      INDArray totals) {
    INDArray shifted = logits.sub(logits.max(true, 1));
    INDArray exponentials = Transforms.exp(shifted, true);
    INDArray sums = exponentials.sum(true, 1);
    INDArray labelled = Nd4jExperts.oneHot(labels, logits.size(1));
    // A product with the one-hot rows would turn −∞ of another class into NaN.
    int[] positions = new int[labels.length];
    for (int i = 0; i < labels.length; i++) {
      positions[i] = Math.toIntExact(i * logits.size(1) + labels[i]);
    }
    INDArray atLabels = Nd4j.pullRows(shifted.reshape(logits.length(), 1), 1, positions, 'c');
    INDArray values = Transforms.log(sums, true).subi(atLabels);
    Nd4jOperations.assignVector(values, losses);
    float[] each = new float[labels.length];
    read(losses, each);
    double total = 0;
    for (float loss : each) {
      total += loss;
    }
    add(totals, total, gradient ? 0 : hits(logits, labels));
    if (gradient) {
      logits.assign(exponentials.divi(sums).subi(labelled).muli(scale));
    }
  }

  /** Rows whose largest logit, the lowest index first among equals, is at their label. */
  private static long hits(INDArray logits, int[] labels) {
    long[] predicted = logits.argMax(1).toLongVector();
    long hits = 0;
    for (int i = 0; i < labels.length; i++) {
      if (predicted[i] == labels[i]) {
        hits++;
      }
    }
    return hits;
  }

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
