package io.guilomo.network;

import io.guilomo.data.TokenBatch;
import io.guilomo.kernel.Kernels;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A trainable linear classifier over what {@link SequenceState} reads of each sequence; mean
 * cross-entropy over the sequences.
 */
public final class ClassificationHead implements Head {

  static final String WEIGHT = "classifier.weight";
  static final String BIAS = "classifier.bias";

  private final ParameterLayout layout = new ParameterLayout();
  private final ArrayDeclarations arrays = new ArrayDeclarations("head");
  private final WorkingArray logitsArray;
  private final int classes;
  private final boolean biased;
  private final SequenceState state;
  private PassContext context;
  private INDArray weight;
  private INDArray bias;
  private INDArray gradientWeight;
  private INDArray gradientBias;
  private INDArray read;

  ClassificationHead(PartSpec spec) {
    this.classes = spec.classes();
    int hidden = spec.config().hidden();
    layout.add(WEIGHT, Initialisation.NORMAL, classes, hidden);
    // As transformers: a decoder's score is a product alone.
    this.biased = !spec.config().paths().causal();
    if (biased) {
      layout.add(BIAS, Initialisation.ZERO, classes);
    }
    this.logitsArray = arrays.scratch("head.logits", Extent.SEQUENCES, classes);
    this.state = new SequenceState(spec.network(), arrays);
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
    bias = biased ? layout.view(parameters, BIAS) : null;
    state.attach(shared);
  }

  @Override
  public void attachGradient(INDArray gradient) {
    gradientWeight = layout.view(gradient, WEIGHT);
    gradientBias = biased ? layout.view(gradient, BIAS) : null;
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
    read = state.forward(states);
    kernels.product(read, false, weight, true, logits, false);
    if (biased) {
      kernels.addBias(logits, bias);
    }
    return logits;
  }

  /** What the last {@link #forward} has read of every sequence: {@code [sequences, hidden]}. */
  INDArray features() {
    return read;
  }

  @Override
  public void measure(INDArray states) {
    INDArray logits = forward(states);
    crossEntropy(logits, false);
  }

  @Override
  public INDArray backward(INDArray states) {
    INDArray logits = forward(states);
    crossEntropy(logits, true);
    return backwardLogits(logits);
  }

  /**
   * The backward pass behind the loss, after {@link #forward}.
   *
   * @param dLogits gradient by the logits, {@code [sequences, classes]}
   */
  INDArray backwardLogits(INDArray dLogits) {
    Kernels kernels = context.kernels();
    if (context.wantsWeights()) {
      kernels.product(dLogits, true, read, false, gradientWeight, false);
      if (biased) {
        kernels.columnSums(dLogits, gradientBias);
      }
    }
    kernels.product(dLogits, false, weight, false, read, false);
    return state.backward(read);
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
