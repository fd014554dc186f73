package io.guilomo.network.moe;

import io.guilomo.kernel.Kernels;
import io.guilomo.kernel.StraightThrough;
import io.guilomo.model.CountDistribution;
import io.guilomo.model.ModuleExperts;
import io.guilomo.network.Initialisation;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Masks that are expectations: each GSV holds the logits of a {@link CountDistribution}, of an
 * expert's rank or of a module's number of experts, and an entry counts as much as it is likely to
 * be in use:
 *
 * <pre>
 *   ranks:    n_i = S_i
 *   experts:  m_i = ln S_i, so that p ∝ exp(logit) · S_i
 * </pre>
 *
 * The gradients are exact. All GSVs start at 0: every count is as likely as another, and nothing is
 * drawn.
 */
final class ExpectedEstimator implements Selection.Estimator {

  /** What is done with each vector. */
  private interface Action {
    void apply(CountDistribution distribution, boolean experts, int offset);
  }

  @Override
  public Initialisation initial() {
    return Initialisation.ZERO;
  }

  @Override
  public void masks(Kernels kernels, Selection.Vectors vectors, INDArray gsvs, INDArray masks) {
    float[] values = read(kernels, gsvs);
    float[] result = new float[values.length];
    forEach(
        vectors,
        values,
        (distribution, experts, offset) -> {
          for (int i = 0; i < distribution.length(); i++) {
            result[offset + i] =
                (float) (experts ? distribution.logSurvival(i) : distribution.survival(i));
          }
        });
    kernels.write(result, masks);
  }

  @Override
  public void backward(
      Kernels kernels, Selection.Vectors vectors, INDArray gsvs, INDArray dMasks, INDArray dGsvs) {
    float[] gradient = read(kernels, dMasks);
    float[] result = new float[gradient.length];
    forEach(
        vectors,
        read(kernels, gsvs),
        (distribution, experts, offset) -> {
          if (experts) {
            distribution.logBackward(gradient, offset, result);
          } else {
            distribution.backward(gradient, offset, result);
          }
        });
    kernels.write(result, dGsvs);
  }

  /** The last entry in use at each distribution's median. */
  @Override
  public int[] choices(Selection.Vectors vectors, float[] gsvs) {
    int[] choices = new int[vectors.kinds().length];
    for (int i = 0; i < choices.length; i++) {
      choices[i] = distribution(vectors, gsvs, i).median() - 1;
    }
    return choices;
  }

  private static void forEach(Selection.Vectors vectors, float[] gsvs, Action action) {
    for (int i = 0; i < vectors.kinds().length; i++) {
      boolean experts = vectors.kinds()[i] == StraightThrough.EXPERTS;
      action.apply(distribution(vectors, gsvs, i), experts, vectors.starts()[i]);
    }
  }

  private static CountDistribution distribution(Selection.Vectors vectors, float[] gsvs, int i) {
    int start = vectors.starts()[i];
    int length = vectors.starts()[i + 1] - start;
    int least =
        vectors.kinds()[i] == StraightThrough.EXPERTS ? ModuleExperts.minExperts(length) : 1;
    return new CountDistribution(gsvs, start, length, least);
  }

  private static float[] read(Kernels kernels, INDArray array) {
    float[] values = new float[Math.toIntExact(array.length())];
    kernels.read(array, values);
    return values;
  }
}
