package io.guilomo.kernel.nd4j;

import static io.guilomo.kernel.nd4j.Nd4jOperations.assignVector;
import static io.guilomo.kernel.nd4j.Nd4jOperations.column;
import static io.guilomo.kernel.nd4j.Nd4jOperations.columns;
import static io.guilomo.kernel.nd4j.Nd4jOperations.row;

import io.guilomo.kernel.Activation;
import io.guilomo.kernel.DropoutMask;
import io.guilomo.kernel.HostOperations;
import io.guilomo.kernel.LayerKernels;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.ops.transforms.Transforms;

/** Norms, activations, dropout and the loss. */
final class Nd4jLayers implements LayerKernels {
  @Override
  public void rmsNorm(INDArray x, INDArray weight, float epsilon, INDArray y, INDArray inverseRms) {
    INDArray inverse = Transforms.sqrt(x.mul(x).mean(true, 1).addi(epsilon), false).rdivi(1);
    y.assign(x.mul(inverse).muli(row(weight)));
    assignVector(inverse, inverseRms);
  }

  @Override
  public void rmsNormBackward(
      INDArray dy, INDArray x, INDArray weight, INDArray inverseRms, INDArray dx) {
    INDArray inverse = column(inverseRms);
    INDArray normalised = x.mul(inverse);
    INDArray gradient = dy.mul(row(weight));
    INDArray projection = gradient.mul(normalised).mean(true, 1);
    dx.addi(gradient.subi(normalised.muli(projection)).muli(inverse));
  }

  @Override
  public void layerNorm(
      INDArray x,
      INDArray weight,
      INDArray bias,
      float epsilon,
      INDArray y,
      INDArray mean,
      INDArray inverseDeviation) {
    INDArray means = x.mean(true, 1);
    INDArray centred = x.sub(means);
    INDArray inverse =
        Transforms.sqrt(centred.mul(centred).mean(true, 1).addi(epsilon), false).rdivi(1);
    y.assign(centred.muli(inverse).muli(row(weight)).addi(row(bias)));
    assignVector(means, mean);
    assignVector(inverse, inverseDeviation);
  }

  @Override
  public void layerNormBackward(
      INDArray dy,
      INDArray x,
      INDArray weight,
      INDArray mean,
      INDArray inverseDeviation,
      INDArray dx) {
    INDArray inverse = column(inverseDeviation);
    INDArray normalised = x.sub(column(mean)).muli(inverse);
    INDArray gradient = dy.mul(row(weight));
    INDArray projection = gradient.mul(normalised).mean(true, 1);
    INDArray average = gradient.mean(true, 1);
    dx.assign(gradient.subi(average).subi(normalised.muli(projection)).muli(inverse));
  }

  @Override
  public void activate(Activation activation, INDArray x, INDArray y) {
    y.assign(Nd4jActivations.value(activation, x, Nd4jActivations.inner(activation, x)));
  }

  @Override
  public void activateBackward(Activation activation, INDArray dy, INDArray x, INDArray dx) {
    INDArray inner = Nd4jActivations.inner(activation, x);
    dx.assign(Nd4jActivations.slope(activation, x, inner).muli(dy));
  }

  @Override
  public void gated(Activation activation, INDArray gateUp, INDArray y) {
    long n = y.size(1);
    INDArray gate = columns(gateUp, 0, n).dup('c');
    INDArray inner = Nd4jActivations.inner(activation, gate);
    INDArray value = Nd4jActivations.value(activation, gate, inner);
    y.assign(value.muli(columns(gateUp, n, 2 * n)));
  }

  @Override
  public void gatedBackward(Activation activation, INDArray dy, INDArray gateUp, INDArray dGateUp) {
    long n = dy.size(1);
    INDArray gate = columns(gateUp, 0, n).dup('c');
    INDArray inner = Nd4jActivations.inner(activation, gate);
    INDArray slope = Nd4jActivations.slope(activation, gate, inner);
    INDArray dGate = slope.muli(columns(gateUp, n, 2 * n)).muli(dy);
    columns(dGateUp, n, 2 * n).assign(Nd4jActivations.value(activation, gate, inner).muli(dy));
    columns(dGateUp, 0, n).assign(dGate);
  }

  @Override
  public void softcap(INDArray x, float cap) {
    x.assign(Nd4jActivations.softcap(x, cap));
  }

  @Override
  public void softcapBackward(INDArray dy, INDArray y, float cap) {
    dy.muli(Nd4jActivations.softcapSlope(y, cap));
  }

  @Override
  public void dropout(INDArray x, DropoutMask mask, INDArray y) {
    y.assign(Nd4jDropout.factors(x.size(0), x.size(1), mask).muli(x));
  }

  @Override
  public void dropoutBackward(INDArray dy, DropoutMask mask, INDArray dx) {
    dx.addi(Nd4jDropout.factors(dy.size(0), dy.size(1), mask).muli(dy));
  }

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
    assignVector(values, losses);
    float[] each = new float[labels.length];
    HostOperations.floats(losses).get(each);
    double total = 0;
    for (float loss : each) {
      total += loss;
    }
    HostOperations.add(totals, total, gradient ? 0 : hits(logits, labels));
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
}
