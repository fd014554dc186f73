package io.guilomo.network.block;

import io.guilomo.kernel.ArrayViews;
import io.guilomo.kernel.Kernels;
import io.guilomo.network.ArrayDeclarations;
import io.guilomo.network.PassContext;
import io.guilomo.network.WorkingArray;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A frozen root-mean-square norm over the features of each head, with one weight for all heads: of
 * queries or of keys before they are rotated (arXiv 2505.09388).
 */
public final class HeadNorm {

  private final String name;
  private final int heads;
  private final int headDim;
  private final float epsilon;
  private final WorkingArray inputArray;
  private final WorkingArray normedArray;
  private final WorkingArray inverseArray;
  private final WorkingArray dNormedArray;
  private final WorkingArray dInputArray;
  private PassContext context;
  private INDArray weight;

  HeadNorm(
      ArrayDeclarations arrays, String kind, String name, int heads, int headDim, float epsilon) {
    this.name = name;
    this.heads = heads;
    this.headDim = headDim;
    this.epsilon = epsilon;
    long width = (long) heads * headDim;
    this.inputArray = arrays.scratch(kind + ".in", width);
    this.normedArray = arrays.saved(kind, width);
    this.inverseArray = arrays.saved(kind + ".rms", heads);
    this.dNormedArray = arrays.scratch("d" + kind, width);
    this.dInputArray = arrays.scratch("dHeads", width);
  }

  void attach(PassContext shared) {
    context = shared;
    weight = shared.backbone().vector(name + ".weight");
  }

  /**
   * @param x {@code [T, heads · headDim]}, in rows of any stride
   * @return {@code [T, heads · headDim]} in an array of its own
   */
  INDArray forward(INDArray x) {
    Kernels kernels = context.kernels();
    INDArray input = contiguous(x);
    INDArray normed = context.array(normedArray);
    kernels.rmsNorm(perHead(input), weight, epsilon, perHead(normed), inverse(input.rows()));
    return normed;
  }

  /** Where the gradient by what {@link #forward} returned is to be written. */
  INDArray gradient() {
    return context.array(dNormedArray);
  }

  /**
   * @param x the input of the forward pass
   * @param dx {@code [T, heads · headDim]}, in rows of any stride; written
   */
  void backward(INDArray x, INDArray dx) {
    Kernels kernels = context.kernels();
    INDArray input = contiguous(x);
    INDArray dInput = context.array(dInputArray);
    kernels.fill(dInput, 0);
    kernels.rmsNormBackward(
        perHead(gradient()), perHead(input), weight, inverse(input.rows()), perHead(dInput));
    kernels.copy(dInput, dx);
  }

  private INDArray contiguous(INDArray x) {
    INDArray input = context.array(inputArray);
    context.kernels().copy(x, input);
    return input;
  }

  private INDArray inverse(int tokens) {
    return context.vector(inverseArray, (long) tokens * heads);
  }

  private INDArray perHead(INDArray rows) {
    return ArrayViews.slice(rows, 0, rows.size(0) * heads, headDim);
  }
}
