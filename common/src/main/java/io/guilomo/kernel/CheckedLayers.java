package io.guilomo.kernel;

import static io.guilomo.kernel.KernelArguments.cap;
import static io.guilomo.kernel.KernelArguments.doubles;
import static io.guilomo.kernel.KernelArguments.indices;
import static io.guilomo.kernel.KernelArguments.matrix;
import static io.guilomo.kernel.KernelArguments.sameShape;
import static io.guilomo.kernel.KernelArguments.vector;

import org.nd4j.linalg.api.ndarray.INDArray;

/** {@link LayerKernels} that check their arguments. */
interface CheckedLayers extends LayerKernels {

  Operations operations();

  @Override
  default void rmsNorm(
      INDArray x, INDArray weight, float epsilon, INDArray y, INDArray inverseRms) {
    matrix("x", x);
    vector("weight", weight, x.size(1));
    sameShape("y", y, x);
    vector("inverse rms", inverseRms, x.size(0));
    operations().layers().rmsNorm(x, weight, epsilon, y, inverseRms);
  }

  @Override
  default void rmsNormBackward(
      INDArray dy, INDArray x, INDArray weight, INDArray inverseRms, INDArray dx) {
    matrix("x", x);
    sameShape("dy", dy, x);
    vector("weight", weight, x.size(1));
    vector("inverse rms", inverseRms, x.size(0));
    sameShape("dx", dx, x);
    operations().layers().rmsNormBackward(dy, x, weight, inverseRms, dx);
  }

  @Override
  default void layerNorm(
      INDArray x,
      INDArray weight,
      INDArray bias,
      float epsilon,
      INDArray y,
      INDArray mean,
      INDArray inverseDeviation) {
    matrix("x", x);
    vector("weight", weight, x.size(1));
    vector("bias", bias, x.size(1));
    sameShape("y", y, x);
    vector("mean", mean, x.size(0));
    vector("inverse deviation", inverseDeviation, x.size(0));
    operations().layers().layerNorm(x, weight, bias, epsilon, y, mean, inverseDeviation);
  }

  @Override
  default void layerNormBackward(
      INDArray dy,
      INDArray x,
      INDArray weight,
      INDArray mean,
      INDArray inverseDeviation,
      INDArray dx) {
    matrix("x", x);
    sameShape("dy", dy, x);
    vector("weight", weight, x.size(1));
    vector("mean", mean, x.size(0));
    vector("inverse deviation", inverseDeviation, x.size(0));
    sameShape("dx", dx, x);
    operations().layers().layerNormBackward(dy, x, weight, mean, inverseDeviation, dx);
  }

  @Override
  default void activate(Activation activation, INDArray x, INDArray y) {
    matrix("x", x);
    sameShape("y", y, x);
    operations().layers().activate(activation, x, y);
  }

  @Override
  default void activateBackward(Activation activation, INDArray dy, INDArray x, INDArray dx) {
    matrix("x", x);
    sameShape("dy", dy, x);
    sameShape("dx", dx, x);
    operations().layers().activateBackward(activation, dy, x, dx);
  }

  @Override
  default void gated(Activation activation, INDArray gateUp, INDArray y) {
    matrix("y", y);
    matrix("gate and up", gateUp, y.size(0), 2 * y.size(1));
    operations().layers().gated(activation, gateUp, y);
  }

  @Override
  default void gatedBackward(
      Activation activation, INDArray dy, INDArray gateUp, INDArray dGateUp) {
    matrix("dy", dy);
    matrix("gate and up", gateUp, dy.size(0), 2 * dy.size(1));
    sameShape("gradient of gate and up", dGateUp, gateUp);
    operations().layers().gatedBackward(activation, dy, gateUp, dGateUp);
  }

  @Override
  default void softcap(INDArray x, float cap) {
    matrix("x", x);
    cap(cap);
    operations().layers().softcap(x, cap);
  }

  @Override
  default void softcapBackward(INDArray dy, INDArray y, float cap) {
    matrix("y", y);
    sameShape("dy", dy, y);
    cap(cap);
    operations().layers().softcapBackward(dy, y, cap);
  }

  @Override
  default void dropout(INDArray x, DropoutMask mask, INDArray y) {
    matrix("x", x);
    sameShape("y", y, x);
    operations().layers().dropout(x, mask, y);
  }

  @Override
  default void dropoutBackward(INDArray dy, DropoutMask mask, INDArray dx) {
    matrix("dy", dy);
    sameShape("dx", dx, dy);
    operations().layers().dropoutBackward(dy, mask, dx);
  }

  @Override
  default void crossEntropy(
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
    operations().layers().crossEntropy(logits, labels, scale, gradient, losses, totals);
  }
}
