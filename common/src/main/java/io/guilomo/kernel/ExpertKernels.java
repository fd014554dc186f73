package io.guilomo.kernel;

import java.util.Arrays;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Routing tokens to experts, scaling the outputs of experts, and the masks of GuidedSelection
 * Vectors.
 */
public interface ExpertKernels {

  /**
   * Routes every token of one module: {@code p = softmax(logits + mask)}; the {@code topK} largest
   * (the lowest index first among equals) renormalised to sum to 1, the others 0.
   *
   * @param logits {@code [T, experts]}
   * @param mask {@code [experts]}, or null for none
   * @param choice {@code [T · topK]}, the experts chosen for each token, largest first: a result,
   *     or an input if {@code replay}
   * @param probabilities result {@code p [T, experts]}
   * @param weights result {@code p̂ [T, experts]}
   * @param statistics result {@code [2 · experts]} of {@link DataType#DOUBLE}: how often each
   *     expert was chosen, then the sum of each one's probabilities
   */
  void route(
      INDArray logits,
      INDArray mask,
      int topK,
      boolean replay,
      ExpertChoice choice,
      INDArray probabilities,
      INDArray weights,
      INDArray statistics);

  /**
   * {@code Σ_t −Σ_e p[t, e] ln p[t, e]}, in nats.
   *
   * @param probabilities {@code [T, experts]}
   * @param result {@code [1]} of {@link DataType#DOUBLE}
   */
  void entropy(INDArray probabilities, INDArray result);

  /**
   * Backward of {@link #route}.
   *
   * @param dWeights {@code ∂L/∂p̂ [T, experts]}
   * @param dProbabilities {@code ∂L/∂p} of the load-balancing loss, the same for every token,
   *     {@code [experts]}; null for 0
   * @param dLogits result {@code [T, experts]}; its column sums are the mask's gradient
   */
  void routeBackward(
      INDArray dWeights,
      INDArray dProbabilities,
      int topK,
      ExpertChoice choice,
      INDArray probabilities,
      INDArray weights,
      INDArray dLogits);

  /**
   * Routes every token of one module by {@link Sparsegen}: {@code p̂ = sparsegen(logits + mask,
   * λ)}, {@code λ = ln σ(z) + 0.99}. How many experts a token uses depends on it.
   *
   * @param logits {@code [T, experts]}
   * @param mask {@code [experts]}, or null for none
   * @param z {@code [T, 1]}
   * @param target experts per token beyond which {@code λ} is too small
   * @param choice {@code [T · experts]}, the experts that each token uses, largest first, then −1:
   *     a result, or an input if {@code replay}, where a weight may then be negative
   * @param weights result {@code p̂ [T, experts]}
   * @param shortfall result {@code max(0, λ_lo(target) − λ) [T, 1]}
   * @param statistics result {@code [experts + 1]} of {@link DataType#DOUBLE}: how many tokens use
   *     each expert, then the sum of the shortfall
   */
  void sparsegen(
      INDArray logits,
      INDArray mask,
      INDArray z,
      int target,
      boolean replay,
      ExpertChoice choice,
      INDArray weights,
      INDArray shortfall,
      INDArray statistics);

  /**
   * Backward of {@link #sparsegen}; {@code λ_lo} has no gradient.
   *
   * @param dWeights {@code ∂L/∂p̂ [T, experts]}
   * @param dShortfall {@code ∂L/∂shortfall}, the same for every token, {@code [1]}
   * @param dLogits result {@code [T, experts]}; its column sums are the mask's gradient
   * @param dz {@code ∂L/∂z [T, 1]} is added to it
   */
  void sparsegenBackward(
      INDArray dWeights,
      INDArray dShortfall,
      INDArray z,
      ExpertChoice choice,
      INDArray weights,
      INDArray shortfall,
      INDArray dLogits,
      INDArray dz);

  /**
   * {@code z[t, c] = h[t, c] · weights[t, e(c)] · coefficients[c]}, where column {@code c} belongs
   * to expert {@code e(c)}: {@code firstColumn[e] ≤ c < firstColumn[e + 1]}.
   *
   * @param h {@code [T, R]}
   * @param weights {@code [T, experts]}
   * @param coefficients {@code [R]}
   * @param firstColumn {@code [experts + 1]}
   */
  void scaleExperts(
      INDArray h, INDArray weights, INDArray coefficients, int[] firstColumn, INDArray z);

  /** The expert {@code e(c)} of each column. */
  static int[] expertOfColumn(int[] firstColumn) {
    int[] expert = new int[firstColumn[firstColumn.length - 1]];
    for (int e = 0; e + 1 < firstColumn.length; e++) {
      Arrays.fill(expert, firstColumn[e], firstColumn[e + 1], e);
    }
    return expert;
  }

  /**
   * Backward of {@link #scaleExperts}.
   *
   * @param dz {@code ∂L/∂z [T, R]}; overwritten with {@code ∂L/∂h}
   * @param h {@code [T, R]}; overwritten with {@code z} if {@code restoreZ}
   * @param dWeights result {@code [T, experts]}
   * @param dCoefficients result {@code [R]}; or null to skip it
   */
  void scaleExpertsBackward(
      INDArray dz,
      INDArray h,
      boolean restoreZ,
      INDArray weights,
      INDArray coefficients,
      int[] firstColumn,
      INDArray dWeights,
      INDArray dCoefficients);

  /**
   * The masks of GuidedSelection Vectors (arXiv 2506.14646, section 3.2): {@link StraightThrough}.
   *
   * @param starts index of each vector's first entry, and the end of the last vector
   * @param kinds of each vector: {@link StraightThrough#EXPERTS} or {@link StraightThrough#RANKS}
   * @param gsvs all entries
   * @param masks result, one per entry
   */
  void masks(int[] starts, int[] kinds, INDArray gsvs, INDArray masks);

  /** Straight-through gradient of the entries, given the gradient of their {@link #masks}. */
  void masksBackward(int[] starts, int[] kinds, INDArray gsvs, INDArray dMasks, INDArray dGsvs);
}
