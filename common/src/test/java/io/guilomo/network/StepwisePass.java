package io.guilomo.network;

import io.guilomo.config.Recompute;
import io.guilomo.data.TokenBatch;
import io.guilomo.kernel.ArrayViews;
import io.guilomo.kernel.KernelArrays;
import io.guilomo.kernel.Kernels;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A pass part by part, with what a network does not show: the states after each part, and the
 * gradient by what enters the first block. Dropout is off.
 */
public final class StepwisePass {

  private final Kernels kernels;
  private final NetworkDefinition definition;
  private final PassContext context;
  private final List<Part> parts = new ArrayList<>();
  private final Head head;

  /**
   * @param definition of a fine-tuning without dropout
   * @param backbone in the memory of the kernels
   */
  public StepwisePass(NetworkDefinition definition, Backbone backbone, Kernels kernels) {
    this.kernels = kernels;
    this.definition = definition;
    context = new PassContext(backbone, kernels, new Buffers(kernels), Recompute.NONE);
    context.wantInput();
    INDArray parameters =
        KernelArrays.array(kernels, initial(definition, backbone).parameters().ravel());
    INDArray gradient = KernelArrays.zeros(kernels, parameters.length());
    List<Part> all = PartSpec.all(definition).stream().map(PartSpec::build).toList();
    long offset = 0;
    for (Part part : all) {
      long size = part.parameters().size();
      part.attach(context, size == 0 ? null : ArrayViews.slice(parameters, offset, size));
      if (size > 0) {
        part.attachGradient(ArrayViews.slice(gradient, offset, size));
      }
      offset += size;
    }
    parts.addAll(all.subList(0, all.size() - 1));
    head = (Head) all.get(all.size() - 1);
  }

  /** With the checkpoint's classifier, if it has one; classes beyond it have zeros. */
  private static HostParameters initial(NetworkDefinition definition, Backbone backbone) {
    HostParameters host = HostParameters.initial(definition);
    PretrainedClassifier stored = backbone.classifier();
    if (stored != null) {
      int classes = definition.classes();
      new PretrainedClassifier(
              Arrays.copyOf(stored.weight(), classes * definition.config().hidden()),
              Arrays.copyOf(stored.bias(), classes))
          .copyTo(NamedParameters.of(definition, host.parameters()));
    }
    return host;
  }

  public Kernels kernels() {
    return kernels;
  }

  public NetworkDefinition definition() {
    return definition;
  }

  /**
   * Runs all parts but the head; they keep what a backward pass needs.
   *
   * @return the states after the embedding and after each block, {@code [T][hidden]} each
   */
  public List<float[][]> forward(TokenBatch batch) {
    context.begin(batch, PassOptions.training(0));
    List<float[][]> states = new ArrayList<>();
    INDArray x = null;
    for (Part part : parts) {
      x = part.forward(x);
      states.add(KernelArrays.rows(kernels, x));
    }
    return states;
  }

  /** The network's own head on the states of {@link #forward}: its logits. */
  public float[][] logits(float[][] states) {
    return KernelArrays.rows(kernels, head.forward(KernelArrays.array(kernels, states)));
  }

  /** The network's own head on the states of {@link #forward}: its gradient by them. */
  public float[][] headBackward(float[][] states) {
    INDArray d = head.backward(KernelArrays.array(kernels, states));
    context.measurements().read();
    return KernelArrays.rows(kernels, d);
  }

  /**
   * The classification head behind its loss.
   *
   * @param states of {@link #forward}
   * @param gradient by the logits, {@code [sequences][classes]}
   * @return by the states
   */
  public float[][] classifierBackward(float[][] states, float[][] gradient) {
    head.forward(KernelArrays.array(kernels, states));
    INDArray d = ((ClassificationHead) head).backwardLogits(KernelArrays.array(kernels, gradient));
    return KernelArrays.rows(kernels, d);
  }

  /** What the head has measured in {@link #headBackward}. */
  public double loss() {
    return head.loss();
  }

  /**
   * Runs the blocks backward.
   *
   * @param gradient by the last states of {@link #forward}
   * @return by the states after the embedding
   */
  public float[][] backward(float[][] gradient) {
    INDArray d = KernelArrays.array(kernels, gradient);
    for (int i = parts.size() - 1; i > 0; i--) {
      d = parts.get(i).backward(d);
    }
    return KernelArrays.rows(kernels, d);
  }
}
