package io.guilomo.network.moe;

import io.guilomo.kernel.Kernels;
import io.guilomo.kernel.StraightThrough;
import io.guilomo.network.Initialisation;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The estimator of arXiv 2506.14646 (section 3.2): hard masks at the argmax of each GSV, whose
 * gradients go straight through to the entry there; {@link StraightThrough} has the formulas. Each
 * GSV starts as the softmax of normal values.
 */
final class StraightThroughEstimator implements Selection.Estimator {

  @Override
  public Initialisation initial() {
    return Initialisation.SOFTMAX_NORMAL;
  }

  @Override
  public void masks(Kernels kernels, Selection.Vectors vectors, INDArray gsvs, INDArray masks) {
    kernels.masks(vectors.starts(), vectors.kinds(), gsvs, masks);
  }

  @Override
  public void backward(
      Kernels kernels, Selection.Vectors vectors, INDArray gsvs, INDArray dMasks, INDArray dGsvs) {
    kernels.masksBackward(vectors.starts(), vectors.kinds(), gsvs, dMasks, dGsvs);
  }

  /** The argmax of each vector. */
  @Override
  public int[] choices(Selection.Vectors vectors, float[] gsvs) {
    int[] starts = vectors.starts();
    int[] choices = new int[vectors.kinds().length];
    for (int i = 0; i < choices.length; i++) {
      int length = starts[i + 1] - starts[i];
      choices[i] =
          vectors.kinds()[i] == StraightThrough.EXPERTS
              ? StraightThrough.lastExpert(gsvs, starts[i], length)
              : StraightThrough.lastRank(gsvs, starts[i], length);
    }
    return choices;
  }
}
