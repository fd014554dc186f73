package io.guilomo.kernel;

import static io.guilomo.kernel.KernelArguments.atLeast;
import static io.guilomo.kernel.KernelArguments.contiguous;
import static io.guilomo.kernel.KernelArguments.doubles;
import static io.guilomo.kernel.KernelArguments.indices;
import static io.guilomo.kernel.KernelArguments.matrix;
import static io.guilomo.kernel.KernelArguments.selections;
import static io.guilomo.kernel.KernelArguments.vector;

import java.util.function.IntConsumer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The checks of {@link CheckedKernels} for memory, the loss and flat vectors. */
abstract class CheckedSteps implements Kernels {
  final Kernels operations;

  CheckedSteps(Kernels operations) {
    this.operations = operations;
  }

  @Override
  public void accuracy(Accuracy accuracy) {
    operations.accuracy(accuracy);
  }

  @Override
  public String memory() {
    return operations.memory();
  }

  @Override
  public INDArray allocate(DataType type, long length) {
    return operations.allocate(type, length);
  }

  @Override
  public void release(INDArray array) {
    operations.release(array);
  }

  @Override
  public void write(float[] source, INDArray target) {
    contiguous("target", target, DataType.FLOAT, DataType.BFLOAT16);
    atLeast("elements to write", source.length, target.length());
    operations.write(source, target);
  }

  @Override
  public void read(INDArray source, float[] target) {
    vector("source", source);
    atLeast("elements to read into", target.length, source.length());
    operations.read(source, target);
  }

  @Override
  public void read(INDArray source, double[] target) {
    contiguous("source", source, DataType.DOUBLE);
    atLeast("elements to read into", target.length, source.length());
    operations.read(source, target);
  }

  @Override
  public void fill(INDArray target, double value) {
    contiguous("target", target, DataType.FLOAT, DataType.DOUBLE, DataType.BFLOAT16);
    operations.fill(target, value);
  }

  @Override
  public ExpertChoice choice(int length) {
    return operations.choice(length);
  }

  @Override
  public void release(ExpertChoice choice) {
    operations.release(choice);
  }

  @Override
  public void finish() {
    operations.finish();
  }

  @Override
  public boolean splitsBatches() {
    return operations.splitsBatches();
  }

  @Override
  public void sideBySide(int replicas, IntConsumer body) {
    operations.sideBySide(replicas, body);
  }

  @Override
  public void crossEntropy(
      INDArray logits,
      int[] labels,
      float scale,
      boolean gradient,
      INDArray losses,
      INDArray totals) {
    matrix("logits", logits, labels.length, logits.size(1));
    indices("label", labels, logits.size(1));
    vector("losses", losses, labels.length);
    doubles("totals", totals, 2);
    operations.crossEntropy(logits, labels, scale, gradient, losses, totals);
  }

  @Override
  public void masks(int[] starts, int[] kinds, INDArray gsvs, INDArray masks) {
    vector("vectors", gsvs);
    selections(starts, kinds, gsvs.length());
    vector("masks", masks, gsvs.length());
    operations.masks(starts, kinds, gsvs, masks);
  }

  @Override
  public void masksBackward(
      int[] starts, int[] kinds, INDArray gsvs, INDArray dMasks, INDArray dGsvs) {
    vector("vectors", gsvs);
    selections(starts, kinds, gsvs.length());
    vector("gradient of masks", dMasks, gsvs.length());
    vector("gradient of vectors", dGsvs, gsvs.length());
    operations.masksBackward(starts, kinds, gsvs, dMasks, dGsvs);
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
    vector("weights", weights);
    vector("gradient", gradient, weights.length());
    vector("first moment", firstMoment, weights.length());
    vector("second moment", secondMoment, weights.length());
    vector("target", target, weights.length());
    if (step < 1) {
      throw new IllegalArgumentException(
          String.format("Cannot take step %d of AdamW: steps count from 1", step));
    }
    operations.adamW(
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
  public void addScaled(INDArray x, double factor, INDArray y, INDArray target) {
    vector("x", x);
    vector("y", y, x.length());
    vector("target", target, x.length());
    operations.addScaled(x, factor, y, target);
  }

  @Override
  public void multiply(INDArray x, INDArray y, INDArray target) {
    vector("x", x);
    vector("y", y, x.length());
    vector("target", target, x.length());
    operations.multiply(x, y, target);
  }

  @Override
  public void scale(INDArray x, double factor) {
    vector("x", x);
    operations.scale(x, factor);
  }

  @Override
  public double norm(INDArray x) {
    vector("x", x);
    return operations.norm(x);
  }
}
