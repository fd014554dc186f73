package io.guilomo.network;

import io.guilomo.config.ModelConfig.Pooling;
import io.guilomo.data.TokenBatch;
import io.guilomo.kernel.Kernels;
import java.util.Arrays;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A trainable linear classifier over each sequence's pooled state; mean cross-entropy over the
 * sequences.
 */
public final class ClassificationHead implements Head {

  private static final String WEIGHT = "classifier.weight";
  private static final String BIAS = "classifier.bias";

  private final ParameterLayout layout = new ParameterLayout();
  private final ArrayDeclarations arrays = new ArrayDeclarations("head");
  private final WorkingArray logitsArray;
  private final WorkingArray pooledArray;
  private final WorkingArray dArray;
  private final int classes;
  private final Pooling pooling;
  private PassContext context;
  private INDArray weight;
  private INDArray bias;
  private INDArray gradientWeight;
  private INDArray gradientBias;

  ClassificationHead(PartSpec spec) {
    this.classes = spec.classes();
    int hidden = spec.config().hidden();
    this.pooling = spec.pooling();
    layout.add(WEIGHT, Initialisation.NORMAL, classes, hidden);
    layout.add(BIAS, Initialisation.ZERO, classes);
    this.logitsArray = arrays.scratch("head.logits", Extent.SEQUENCES, classes);
    this.pooledArray = arrays.scratch("head.pooled", Extent.SEQUENCES, hidden);
    this.dArray = arrays.scratch("d", hidden);
  }

  @Override
  public ParameterLayout parameters() {
    return layout;
  }

  @Override
  public List<WorkingArray> arrays() {
    return arrays.declared();
  }

  @Override
  public void attach(PassContext shared, INDArray parameters) {
    this.context = shared;
    weight = layout.view(parameters, WEIGHT);
    bias = layout.view(parameters, BIAS);
  }

  @Override
  public void attachGradient(INDArray gradient) {
    gradientWeight = layout.view(gradient, WEIGHT);
    gradientBias = layout.view(gradient, BIAS);
  }

  @Override
  public Measurements measurements() {
    return context.measurements();
  }

  @Override
  public int allLabels() {
    return context.whole().sequences();
  }

  @Override
  public int labels() {
    return context.batch().sequences();
  }

  /** Logits of every sequence: {@code [sequences, classes]}. */
  @Override
  public INDArray forward(INDArray states) {
    Kernels kernels = context.kernels();
    INDArray logits = context.array(logitsArray);
    kernels.product(pooled(states), false, weight, true, logits, false);
    kernels.addBias(logits, bias);
    return logits;
  }

  @Override
  public void measure(INDArray states) {
    INDArray logits = forward(states);
    crossEntropy(logits, false);
  }

  @Override
  public INDArray backward(INDArray states) {
    Kernels kernels = context.kernels();
    INDArray logits = forward(states);
    crossEntropy(logits, true);
    INDArray pooled = context.array(pooledArray);
    if (context.wantsWeights()) {
      kernels.product(logits, true, pooled, false, gradientWeight, false);
      kernels.columnSums(logits, gradientBias);
    }
    kernels.product(logits, false, weight, false, pooled, false);
    INDArray d = context.array(dArray);
    if (pooling == Pooling.MEAN) {
      kernels.meanPoolBackward(pooled, context.batch().starts(), d);
    } else {
      kernels.fill(d, 0);
      kernels.scatterAddRows(pooled, firstRows(), d);
    }
    return d;
  }

  private void crossEntropy(INDArray logits, boolean gradient) {
    context
        .kernels()
        .crossEntropy(
            logits,
            targets(),
            1f / allLabels(),
            gradient,
            measurements().losses(labels()),
            measurements().totals());
  }

  private INDArray pooled(INDArray states) {
    INDArray pooled = context.array(pooledArray);
    if (pooling == Pooling.MEAN) {
      context.kernels().meanPool(states, context.batch().starts(), pooled);
    } else {
      context.kernels().gatherRows(states, firstRows(), pooled, false);
    }
    return pooled;
  }

  private int[] firstRows() {
    return Arrays.copyOf(context.batch().starts(), context.batch().sequences());
  }

  private int[] targets() {
    TokenBatch batch = context.batch();
    int[] targets = new int[batch.sequences()];
    for (int i = 0; i < targets.length; i++) {
      targets[i] = batch.labels()[batch.starts()[i]];
      if (targets[i] < 0 || targets[i] >= classes) {
        throw new IllegalArgumentException(
            String.format("Cannot learn class %d: there are %d classes", targets[i], classes));
      }
    }
    return targets;
  }
}
