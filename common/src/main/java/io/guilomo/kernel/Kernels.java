package io.guilomo.kernel;

import java.util.function.IntConsumer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The numerical operations of a LoRA-MoE transformer, forward and backward, beyond what one library
 * call does.
 *
 * <p>Operations may still be under way when a method returns; what is read is what all operations
 * begun before have left.
 *
 * <p>Conventions. Arrays are 32-bit floats where nothing else is said. A matrix {@code [rows,
 * columns]} is row-major with unit column stride and any row stride of at least {@code columns}, so
 * that column ranges of wider arrays are passed as views; a vector is contiguous. {@code T} is the
 * number of real tokens of a packed batch, whose sequence {@code i} is the rows {@code starts[i] ..
 * starts[i + 1] − 1}. Arrays named as results are written, {@code +=} ones are added to; no
 * argument may overlap another unless its text says so. Every operation gives the same bits for the
 * same input and the same number of threads.
 */
public interface Kernels extends DeviceMemory {

  // ---- replicas
  // ------------------------------------------------------------------------------------------------------

  /**
   * Whether the halves of a large batch are best run side by side: not where each operation takes
   * the whole device, but where operations wait for the slowest of their threads.
   */
  boolean splitsBatches();

  /**
   * Runs a body for each replica of a network, from 0; one after the other where there are not as
   * many threads. Operations within share the threads that the other replicas leave.
   */
  void sideBySide(int replicas, IntConsumer body);

  /** How exactly matrices are multiplied. */
  enum Accuracy {
    /** Activations may be rounded about as far as bfloat16 weights are. */
    ROUNDED,
    /**
     * Nothing of the activations is rounded away, as float32 weights deserve, and passes whose
     * results are subtracted from each other (arXiv 2506.14646, eq. 7).
     */
    EXACT
  }

  /** Holds from now on for the calling thread; {@link Accuracy#EXACT} before its first call. */
  void accuracy(Accuracy accuracy);

  // ---- products
  // ---------------------------------------------------------------------------------------------------

  /**
   * {@code c = a' · b'} or {@code c += a' · b'}, where a prime means transposed if so flagged.
   *
   * @param b may be of {@link DataType#BFLOAT16}
   * @param c {@code [m, n]}
   */
  void product(
      INDArray a,
      boolean transposeA,
      INDArray b,
      boolean transposeB,
      INDArray c,
      boolean accumulate);

  // ---- rows
  // -------------------------------------------------------------------------------------------------------

  /**
   * {@code result[i] = table[rows[i]]}, or {@code +=}.
   *
   * @param table may be of {@link DataType#BFLOAT16}
   */
  void gatherRows(INDArray table, int[] rows, INDArray result, boolean accumulate);

  /** {@code result[rows[i]] += source[i]}; no row twice. */
  void scatterAddRows(INDArray source, int[] rows, INDArray result);

  /** {@code result[rows[i]] = source[i]}; no row twice. */
  void scatterRows(INDArray source, int[] rows, INDArray result);

  /** {@code target = source}; same shape. */
  void copy(INDArray source, INDArray target);

  /** {@code y += bias} on every row. */
  void addBias(INDArray y, INDArray bias);

  /** Mean of each sequence's rows. {@code result [sequences, columns]}. */
  void meanPool(INDArray x, int[] starts, INDArray result);

  /**
   * Backward of {@link #meanPool}: every row of a sequence of {@code n} tokens gets {@code gradient
   * / n}.
   */
  void meanPoolBackward(INDArray gradient, int[] starts, INDArray result);

  // ---- norms
  // ------------------------------------------------------------------------------------------------------

  /**
   * {@code y = x / rms(x) ⊙ weight}, {@code rms = √(mean(x²) + epsilon)}.
   *
   * @param inverseRms {@code [T]}, kept for the backward pass
   */
  void rmsNorm(INDArray x, INDArray weight, float epsilon, INDArray y, INDArray inverseRms);

  /** {@code dx += ∂rmsNorm/∂x · dy}. The weight is frozen. */
  void rmsNormBackward(INDArray dy, INDArray x, INDArray weight, INDArray inverseRms, INDArray dx);

  /**
   * {@code y = (x − mean) / √(variance + epsilon) ⊙ weight + bias}.
   *
   * @param mean {@code [T]}, kept for the backward pass
   * @param inverseDeviation {@code [T]}, kept for the backward pass
   */
  void layerNorm(
      INDArray x,
      INDArray weight,
      INDArray bias,
      float epsilon,
      INDArray y,
      INDArray mean,
      INDArray inverseDeviation);

  /** {@code dx = ∂layerNorm/∂x · dy}. {@code dx} may be {@code dy}. Weight and bias are frozen. */
  void layerNormBackward(
      INDArray dy,
      INDArray x,
      INDArray weight,
      INDArray mean,
      INDArray inverseDeviation,
      INDArray dx);

  // ---- activations
  // ------------------------------------------------------------------------------------------------

  /** {@code y = silu(gate) ⊙ up}; {@code gateUp [T, 2n]} holds gate, then up; {@code y [T, n]}. */
  void swiGlu(INDArray gateUp, INDArray y);

  /** Backward of {@link #swiGlu}. {@code dGateUp [T, 2n]}; it may be {@code gateUp}. */
  void swiGluBackward(INDArray dy, INDArray gateUp, INDArray dGateUp);

  /** Exact GELU, {@code y = x · Φ(x)}. */
  void gelu(INDArray x, INDArray y);

  /** {@code dx = dy ⊙ gelu'(x)}. {@code dx} may be {@code x} or {@code dy}. */
  void geluBackward(INDArray dy, INDArray x, INDArray dx);

  /**
   * Inverted dropout: an element is kept with probability {@code 1 − rate} and then divided by it.
   * Which ones are kept depends on the mask's seed and the element's row and column alone, not on
   * strides, threads or calls before.
   */
  void dropout(INDArray x, DropoutMask mask, INDArray y);

  /**
   * {@code dx += dy ⊙ kept / (1 − rate)}, with the elements that {@link #dropout} kept under the
   * same mask.
   */
  void dropoutBackward(INDArray dy, DropoutMask mask, INDArray dx);

  // ---- attention
  // --------------------------------------------------------------------------------------------------

  /**
   * Rotates {@code heads} heads in place, half-split layout (arXiv 2104.09864): features {@code i}
   * and {@code i + headDim/2} of a head form a pair.
   *
   * @param x {@code [T, heads · headDim]}
   * @param positions of the tokens in their sequences, {@code [T]}
   * @param cosine {@code [maxPositions, headDim / 2]}
   * @param sine {@code [maxPositions, headDim / 2]}
   * @param backward rotates by the opposite angle
   */
  void rotate(
      INDArray x, int[] positions, int heads, INDArray cosine, INDArray sine, boolean backward);

  /**
   * Floats that {@link #attention} keeps for the backward pass: {@code Σ heads · n_i²}
   * probabilities, or less where they are computed again.
   */
  long attentionState(AttentionShape shape, int[] starts);

  /**
   * Scaled dot-product attention inside each sequence; query head {@code h} reads key/value head
   * {@code h / (heads / keyValueHeads)}.
   *
   * @param query {@code [T, heads · headDim]}
   * @param key {@code [T, keyValueHeads · headDim]}
   * @param value {@code [T, keyValueHeads · headDim]}
   * @param state result, kept for the backward pass: a vector of at least {@link #attentionState}
   * @param result {@code [T, heads · headDim]}
   */
  void attention(
      AttentionShape shape,
      int[] starts,
      INDArray query,
      INDArray key,
      INDArray value,
      INDArray state,
      INDArray result);

  /**
   * The rows of {@link #attention} that belong to the last tokens of sequences whose keys and
   * values are kept: nothing is computed for the tokens before them, and nothing is kept for a
   * backward pass.
   *
   * @param shape causal
   * @param starts of the sequences' new tokens, {@code [sequences + 1]}
   * @param firstKeys row of {@code keys} and {@code values} with each sequence's first token, the
   *     others follow it; {@code [sequences]}
   * @param lengths tokens of each sequence, the new ones included; {@code [sequences]}
   * @param query of the new tokens, {@code [T, heads · headDim]}
   * @param keys {@code [rows, keyValueHeads · headDim]}
   * @param values {@code [rows, keyValueHeads · headDim]}
   * @param result {@code [T, heads · headDim]}
   */
  void cachedAttention(
      AttentionShape shape,
      int[] starts,
      int[] firstKeys,
      int[] lengths,
      INDArray query,
      INDArray keys,
      INDArray values,
      INDArray result);

  /**
   * Backward of {@link #attention}; writes {@code dQuery}, {@code dKey}, {@code dValue}.
   *
   * @param result of the forward pass
   * @param state of the forward pass
   */
  void attentionBackward(
      AttentionShape shape,
      int[] starts,
      INDArray dResult,
      INDArray query,
      INDArray key,
      INDArray value,
      INDArray result,
      INDArray state,
      INDArray dQuery,
      INDArray dKey,
      INDArray dValue);

  // ---- experts
  // ----------------------------------------------------------------------------------------------------

  /**
   * Routes every token of one module: {@code p = softmax(logits + mask)}; the {@code topK} largest
   * (the lowest index first among equals) renormalised to sum 1, 0 for the others.
   *
   * @param logits {@code [T, experts]}
   * @param mask {@code [experts]}, or null for none
   * @param choice {@code [T · topK]}, the chosen experts of each token, largest first: a result, or
   *     the choice to repeat if {@code replay}
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

  /**
   * Backward of {@link #scaleExperts}.
   *
   * @param dz {@code ∂L/∂z [T, R]}; overwritten with {@code ∂L/∂h}
   * @param h {@code [T, R]}; overwritten with {@code z} if {@code restoreZ}
   * @param dWeights result {@code [T, experts]}
   * @param dCoefficients result {@code [R]}; null if not wanted
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

  /** {@code result [columns] = Σ_rows x}. */
  void columnSums(INDArray x, INDArray result);

  // ---- loss
  // -------------------------------------------------------------------------------------------------------

  /**
   * Cross-entropy of each row against its label.
   *
   * @param logits {@code [n, classes]}; overwritten with {@code (softmax − onehot) · scale} if
   *     {@code gradient}
   * @param labels {@code [n]}, each in {@code 0 .. classes − 1}
   * @param losses result {@code [n]}
   * @param totals {@code [2]} of {@link DataType#DOUBLE}: the sum of the losses, not scaled, is
   *     added to the first; without {@code gradient}, the number of rows whose largest logit (the
   *     lowest index first among equals) is at their label to the second
   */
  void crossEntropy(
      INDArray logits,
      int[] labels,
      float scale,
      boolean gradient,
      INDArray losses,
      INDArray totals);

  // ---- guided selection
  // -------------------------------------------------------------------------------------------

  /**
   * The masks of GuidedSelection Vectors (arXiv 2506.14646, section 3.2): {@link StraightThrough}.
   *
   * @param starts where each vector begins among the entries, and where the last one ends
   * @param kinds of each vector: {@link StraightThrough#EXPERTS} or {@link StraightThrough#RANKS}
   * @param gsvs all entries
   * @param masks result, one of each entry
   */
  default void masks(int[] starts, int[] kinds, INDArray gsvs, INDArray masks) {
    float[] values = new float[Math.toIntExact(gsvs.length())];
    read(gsvs, values);
    write(StraightThrough.masks(starts, kinds, values), masks);
  }

  /** Straight-through gradient of the entries by that of their {@link #masks}. */
  default void masksBackward(
      int[] starts, int[] kinds, INDArray gsvs, INDArray dMasks, INDArray dGsvs) {
    float[] values = new float[Math.toIntExact(gsvs.length())];
    float[] gradients = new float[values.length];
    read(gsvs, values);
    read(dMasks, gradients);
    write(StraightThrough.gradients(starts, kinds, values, gradients), dGsvs);
  }

  // ---- flat vectors
  // -----------------------------------------------------------------------------------------------

  /**
   * One AdamW step (arXiv 1711.05101): {@code target = w(1 − rate·decay) − rate · m̂ / (√v̂ +
   * epsilon)}.
   *
   * @param weights {@code w [n]}
   * @param gradient {@code [n]}
   * @param firstMoment {@code m [n]}, before the step
   * @param secondMoment {@code v [n]}, before the step
   * @param step the number of this step, from 1
   * @param target {@code [n]}; may be {@code weights}
   * @param advance whether the moments are overwritten with those of this step
   */
  void adamW(
      AdamW settings,
      double learningRate,
      long step,
      INDArray weights,
      INDArray gradient,
      INDArray firstMoment,
      INDArray secondMoment,
      INDArray target,
      boolean advance);

  /** {@code target = x + factor · y}; {@code target} may be either. */
  void addScaled(INDArray x, double factor, INDArray y, INDArray target);

  /** {@code target = x ⊙ y}; {@code target} may be either. */
  void multiply(INDArray x, INDArray y, INDArray target);

  /** {@code x *= factor}. */
  void scale(INDArray x, double factor);

  /** Euclidean norm, accumulated in 64 bits. */
  double norm(INDArray x);
}
