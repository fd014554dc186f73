package io.guilomo.kernel;

import static io.guilomo.kernel.KernelArguments.attentionInputs;
import static io.guilomo.kernel.KernelArguments.cachedAttentionInputs;
import static io.guilomo.kernel.KernelArguments.doubles;
import static io.guilomo.kernel.KernelArguments.expertInputs;
import static io.guilomo.kernel.KernelArguments.frozen;
import static io.guilomo.kernel.KernelArguments.indices;
import static io.guilomo.kernel.KernelArguments.matrix;
import static io.guilomo.kernel.KernelArguments.routing;
import static io.guilomo.kernel.KernelArguments.sequences;
import static io.guilomo.kernel.KernelArguments.size;
import static io.guilomo.kernel.KernelArguments.state;
import static io.guilomo.kernel.KernelArguments.vector;

import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Checks every argument's type, shape and strides before it reaches operations that trust them. */
public abstract class CheckedKernels extends CheckedSteps {
  private final DataType[] frozenTypes;

  /** Over operations that know 32-bit floats alone. */
  protected CheckedKernels(Kernels operations) {
    this(operations, DataType.FLOAT);
  }

  /**
   * @param frozenTypes of matrices that are only read: {@code b} of {@link #product} and the table
   *     of {@link #gatherRows}
   */
  protected CheckedKernels(Kernels operations, DataType... frozenTypes) {
    super(operations);
    this.frozenTypes = frozenTypes.clone();
  }

  @Override
  public void product(
      INDArray a,
      boolean transposeA,
      INDArray b,
      boolean transposeB,
      INDArray c,
      boolean accumulate) {
    matrix("a", a);
    frozen("b", b, frozenTypes);
    matrix("c", c);
    long inner = a.size(transposeA ? 0 : 1);
    if (inner != b.size(transposeB ? 1 : 0)
        || c.size(0) != a.size(transposeA ? 1 : 0)
        || c.size(1) != b.size(transposeB ? 0 : 1)) {
      throw new IllegalArgumentException(
          String.format(
              "Cannot multiply [%d, %d]%s by [%d, %d]%s into [%d, %d]",
              a.size(0),
              a.size(1),
              transposeA ? "ᵀ" : "",
              b.size(0),
              b.size(1),
              transposeB ? "ᵀ" : "",
              c.size(0),
              c.size(1)));
    }
    operations.product(a, transposeA, b, transposeB, c, accumulate);
  }

  @Override
  public void gatherRows(INDArray table, int[] rows, INDArray result, boolean accumulate) {
    frozen("table", table, frozenTypes);
    matrix("result", result, rows.length, table.size(1));
    indices("row", rows, table.size(0));
    operations.gatherRows(table, rows, result, accumulate);
  }

  @Override
  public void scatterAddRows(INDArray source, int[] rows, INDArray result) {
    matrix("result", result);
    matrix("source", source, rows.length, result.size(1));
    indices("row", rows, result.size(0));
    operations.scatterAddRows(source, rows, result);
  }

  @Override
  public void scatterRows(INDArray source, int[] rows, INDArray result) {
    matrix("result", result);
    matrix("source", source, rows.length, result.size(1));
    indices("row", rows, result.size(0));
    operations.scatterRows(source, rows, result);
  }

  @Override
  public void copy(INDArray source, INDArray target) {
    if (source.rank() == 2 && target.rank() == 2) {
      matrix("source", source);
      matrix("target", target, source.size(0), source.size(1));
    } else {
      vector("source", source);
      vector("target", target, source.length());
    }
    operations.copy(source, target);
  }

  @Override
  public void addBias(INDArray y, INDArray bias) {
    matrix("y", y);
    vector("bias", bias, y.size(1));
    operations.addBias(y, bias);
  }

  @Override
  public void meanPool(INDArray x, int[] starts, INDArray result) {
    matrix("x", x);
    sequences(starts, x.size(0));
    matrix("result", result, starts.length - 1, x.size(1));
    operations.meanPool(x, starts, result);
  }

  @Override
  public void meanPoolBackward(INDArray gradient, int[] starts, INDArray result) {
    matrix("result", result);
    sequences(starts, result.size(0));
    matrix("gradient", gradient, starts.length - 1, result.size(1));
    operations.meanPoolBackward(gradient, starts, result);
  }

  @Override
  public void rmsNorm(INDArray x, INDArray weight, float epsilon, INDArray y, INDArray inverseRms) {
    matrix("x", x);
    vector("weight", weight, x.size(1));
    sameShape("y", y, x);
    vector("inverse rms", inverseRms, x.size(0));
    operations.rmsNorm(x, weight, epsilon, y, inverseRms);
  }

  @Override
  public void rmsNormBackward(
      INDArray dy, INDArray x, INDArray weight, INDArray inverseRms, INDArray dx) {
    matrix("x", x);
    sameShape("dy", dy, x);
    vector("weight", weight, x.size(1));
    vector("inverse rms", inverseRms, x.size(0));
    sameShape("dx", dx, x);
    operations.rmsNormBackward(dy, x, weight, inverseRms, dx);
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
    matrix("x", x);
    vector("weight", weight, x.size(1));
    vector("bias", bias, x.size(1));
    sameShape("y", y, x);
    vector("mean", mean, x.size(0));
    vector("inverse deviation", inverseDeviation, x.size(0));
    operations.layerNorm(x, weight, bias, epsilon, y, mean, inverseDeviation);
  }

  @Override
  public void layerNormBackward(
      INDArray dy,
      INDArray x,
      INDArray weight,
      INDArray mean,
      INDArray inverseDeviation,
      INDArray dx) {
    matrix("x", x);
    sameShape("dy", dy, x);
    vector("weight", weight, x.size(1));
    vector("mean", mean, x.size(0));
    vector("inverse deviation", inverseDeviation, x.size(0));
    sameShape("dx", dx, x);
    operations.layerNormBackward(dy, x, weight, mean, inverseDeviation, dx);
  }

  @Override
  public void swiGlu(INDArray gateUp, INDArray y) {
    matrix("y", y);
    matrix("gate and up", gateUp, y.size(0), 2 * y.size(1));
    operations.swiGlu(gateUp, y);
  }

  @Override
  public void swiGluBackward(INDArray dy, INDArray gateUp, INDArray dGateUp) {
    matrix("dy", dy);
    matrix("gate and up", gateUp, dy.size(0), 2 * dy.size(1));
    sameShape("gradient of gate and up", dGateUp, gateUp);
    operations.swiGluBackward(dy, gateUp, dGateUp);
  }

  @Override
  public void gelu(INDArray x, INDArray y) {
    matrix("x", x);
    sameShape("y", y, x);
    operations.gelu(x, y);
  }

  @Override
  public void geluBackward(INDArray dy, INDArray x, INDArray dx) {
    matrix("x", x);
    sameShape("dy", dy, x);
    sameShape("dx", dx, x);
    operations.geluBackward(dy, x, dx);
  }

  @Override
  public void dropout(INDArray x, DropoutMask mask, INDArray y) {
    matrix("x", x);
    sameShape("y", y, x);
    operations.dropout(x, mask, y);
  }

  @Override
  public void dropoutBackward(INDArray dy, DropoutMask mask, INDArray dx) {
    matrix("dy", dy);
    sameShape("dx", dx, dy);
    operations.dropoutBackward(dy, mask, dx);
  }

  @Override
  public void rotate(
      INDArray x, int[] positions, int heads, INDArray cosine, INDArray sine, boolean backward) {
    matrix("x", x);
    matrix("cosine", cosine);
    sameShape("sine", sine, cosine);
    size("features of rotated heads", x.size(1), 2 * cosine.size(1) * heads);
    size("positions", positions.length, x.size(0));
    indices("position", positions, cosine.size(0));
    operations.rotate(x, positions, heads, cosine, sine, backward);
  }

  @Override
  public long attentionState(AttentionShape shape, int[] starts) {
    return operations.attentionState(shape, starts);
  }

  @Override
  public void attention(
      AttentionShape shape,
      int[] starts,
      INDArray query,
      INDArray key,
      INDArray value,
      INDArray state,
      INDArray result) {
    attentionInputs(shape, starts, query, key, value);
    state(state, attentionState(shape, starts));
    sameShape("result", result, query);
    operations.attention(shape, starts, query, key, value, state, result);
  }

  @Override
  public void cachedAttention(
      AttentionShape shape,
      int[] starts,
      int[] firstKeys,
      int[] lengths,
      INDArray query,
      INDArray keys,
      INDArray values,
      INDArray result) {
    cachedAttentionInputs(shape, starts, firstKeys, lengths, query, keys, values);
    sameShape("result", result, query);
    operations.cachedAttention(shape, starts, firstKeys, lengths, query, keys, values, result);
  }

  @Override
  public void attentionBackward(
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
      INDArray dValue) {
    attentionInputs(shape, starts, query, key, value);
    state(state, attentionState(shape, starts));
    sameShape("result", result, query);
    sameShape("gradient of the result", dResult, query);
    sameShape("gradient of query", dQuery, query);
    sameShape("gradient of key", dKey, key);
    sameShape("gradient of value", dValue, value);
    operations.attentionBackward(
        shape, starts, dResult, query, key, value, result, state, dQuery, dKey, dValue);
  }

  @Override
  public void route(
      INDArray logits,
      INDArray mask,
      int topK,
      boolean replay,
      ExpertChoice choice,
      INDArray probabilities,
      INDArray weights,
      INDArray statistics) {
    matrix("logits", logits);
    if (mask != null) {
      vector("mask", mask, logits.size(1));
    }
    routing(logits, topK, choice, replay);
    sameShape("probabilities", probabilities, logits);
    sameShape("weights", weights, logits);
    doubles("statistics", statistics, 2 * logits.size(1));
    operations.route(logits, mask, topK, replay, choice, probabilities, weights, statistics);
  }

  @Override
  public void entropy(INDArray probabilities, INDArray result) {
    matrix("probabilities", probabilities);
    doubles("result", result, 1);
    operations.entropy(probabilities, result);
  }

  @Override
  public void routeBackward(
      INDArray dWeights,
      INDArray dProbabilities,
      int topK,
      ExpertChoice choice,
      INDArray probabilities,
      INDArray weights,
      INDArray dLogits) {
    matrix("gradient of weights", dWeights);
    routing(dWeights, topK, choice, true);
    if (dProbabilities != null) {
      vector("gradient of probabilities", dProbabilities, dWeights.size(1));
    }
    sameShape("probabilities", probabilities, dWeights);
    sameShape("weights", weights, dWeights);
    sameShape("gradient of logits", dLogits, dWeights);
    operations.routeBackward(
        dWeights, dProbabilities, topK, choice, probabilities, weights, dLogits);
  }

  @Override
  public void scaleExperts(
      INDArray h, INDArray weights, INDArray coefficients, int[] firstColumn, INDArray z) {
    expertInputs(h, weights, coefficients, firstColumn);
    sameShape("z", z, h);
    operations.scaleExperts(h, weights, coefficients, firstColumn, z);
  }

  @Override
  public void scaleExpertsBackward(
      INDArray dz,
      INDArray h,
      boolean restoreZ,
      INDArray weights,
      INDArray coefficients,
      int[] firstColumn,
      INDArray dWeights,
      INDArray dCoefficients) {
    expertInputs(h, weights, coefficients, firstColumn);
    sameShape("dz", dz, h);
    sameShape("gradient of weights", dWeights, weights);
    if (dCoefficients != null) {
      vector("gradient of coefficients", dCoefficients, h.size(1));
    }
    operations.scaleExpertsBackward(
        dz, h, restoreZ, weights, coefficients, firstColumn, dWeights, dCoefficients);
  }

  @Override
  public void columnSums(INDArray x, INDArray result) {
    matrix("x", x);
    vector("result", result, x.size(1));
    operations.columnSums(x, result);
  }

  private static void sameShape(String name, INDArray array, INDArray other) {
    matrix(name, array, other.size(0), other.size(1));
  }
}
