package io.guilomo.network.moe;

import io.guilomo.kernel.Kernels;
import io.guilomo.kernel.StraightThrough;
import io.guilomo.network.Initialisation;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Masks that are varied one by one around the full allocation, so that their own gradients can be
 * measured there. The variables are the distances from it, and start at 0:
 *
 * <pre>
 *   ranks:    n_i = 1 + a_i
 *   experts:  m_i = a_i
 * </pre>
 */
final class FullMasks implements Selection.Estimator {

  @Override
  public Initialisation initial() {
    return Initialisation.ZERO;
  }

  @Override
  public void masks(Kernels kernels, Selection.Vectors vectors, INDArray gsvs, INDArray masks) {
    float[] values = new float[Math.toIntExact(gsvs.length())];
    kernels.read(gsvs, values);
    for (int v = 0; v < vectors.kinds().length; v++) {
      if (vectors.kinds()[v] == StraightThrough.RANKS) {
        for (int i = vectors.starts()[v]; i < vectors.starts()[v + 1]; i++) {
          values[i] += 1;
        }
      }
    }
    kernels.write(values, masks);
  }

  @Override
  public void backward(
      Kernels kernels, Selection.Vectors vectors, INDArray gsvs, INDArray dMasks, INDArray dGsvs) {
    kernels.copy(dMasks, dGsvs);
  }

  /** The last entry of each vector. */
  @Override
  public int[] choices(Selection.Vectors vectors, float[] gsvs) {
    int[] choices = new int[vectors.kinds().length];
    for (int v = 0; v < choices.length; v++) {
      choices[v] = vectors.starts()[v + 1] - vectors.starts()[v] - 1;
    }
    return choices;
  }
}
