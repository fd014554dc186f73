package io.guilomo.kernel;

import java.util.Arrays;
import java.util.function.IntConsumer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.impl.transforms.strict.Erf;
import org.nd4j.linalg.api.shape.Shape;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.ops.transforms.Transforms;

/** The portable operations; arguments are checked by {@link CheckedKernels}. */
class Nd4jOperations extends Nd4jSteps {
  private static final double SQRT_HALF = Math.sqrt(0.5);
  private static final double SQRT_TWO_PI = Math.sqrt(2 * Math.PI);

  @Override
  public boolean splitsBatches() {
    return false;
  }

  @Override
  public void sideBySide(int replicas, IntConsumer body) {
    for (int replica = 0; replica < replicas; replica++) {
      body.accept(replica);
    }
  }

  @Override
  public void product(
      INDArray a,
      boolean transposeA,
      INDArray b,
      boolean transposeB,
      INDArray c,
      boolean accumulate) {
    INDArray transposed = c.transpose();
    if (transposed.ordering() == 'f' && Shape.hasDefaultStridesForShape(transposed)) {
      Nd4j.gemm(b, a, transposed, !transposeB, !transposeA, 1, accumulate ? 1 : 0);
      return;
    }
    INDArray result =
        Nd4j.createUninitialized(DataType.FLOAT, new long[] {c.size(0), c.size(1)}, 'f');
    Nd4j.gemm(a, b, result, transposeA, transposeB, 1, 0);
    write(result, c, accumulate);
  }

  @Override
  public void gatherRows(INDArray table, int[] rows, INDArray result, boolean accumulate) {
    write(Nd4j.pullRows(table, 1, rows, 'c'), result, accumulate);
  }

  @Override
  public void scatterAddRows(INDArray source, int[] rows, INDArray result) {
    // No row comes twice: the new rows are known, and each result row is either one of them or its
    // old self.
    int[] origin = new int[(int) result.size(0)];
    for (int i = 0; i < origin.length; i++) {
      origin[i] = i;
    }
    for (int i = 0; i < rows.length; i++) {
      origin[rows[i]] = origin.length + i;
    }
    INDArray sums = Nd4j.pullRows(result, 1, rows, 'c').addi(source);
    result.assign(Nd4j.pullRows(Nd4j.vstack(result, sums), 1, origin, 'c'));
  }

  @Override
  public void scatterRows(INDArray source, int[] rows, INDArray result) {
    for (int i = 0; i < rows.length; i++) {
      rows(result, rows[i], rows[i] + 1).assign(rows(source, i, i + 1));
    }
  }

  @Override
  public void copy(INDArray source, INDArray target) {
    target.assign(source.reshape(target.shape()));
  }

  @Override
  public void addBias(INDArray y, INDArray bias) {
    y.addi(row(bias));
  }

  @Override
  public void meanPool(INDArray x, int[] starts, INDArray result) {
    for (int i = 0; i + 1 < starts.length; i++) {
      rows(result, i, i + 1).assign(rows(x, starts[i], starts[i + 1]).mean(true, 0));
    }
  }

  @Override
  public void meanPoolBackward(INDArray gradient, int[] starts, INDArray result) {
    int[] sequence = new int[(int) result.size(0)];
    INDArray means = gradient.dup('c');
    for (int i = 0; i + 1 < starts.length; i++) {
      Arrays.fill(sequence, starts[i], starts[i + 1], i);
      rows(means, i, i + 1).divi(starts[i + 1] - starts[i]);
    }
    result.assign(Nd4j.pullRows(means, 1, sequence, 'c'));
  }

  @Override
  public void rmsNorm(INDArray x, INDArray weight, float epsilon, INDArray y, INDArray inverseRms) {
    INDArray inverse = Transforms.sqrt(x.mul(x).mean(true, 1).addi(epsilon), false).rdivi(1);
    y.assign(x.mul(inverse).muli(row(weight)));
    assignVector(inverse, inverseRms);
  }

  @Override
  public void rmsNormBackward(
      INDArray dy, INDArray x, INDArray weight, INDArray inverseRms, INDArray dx) {
    INDArray inverse = column(inverseRms);
    INDArray normalised = x.mul(inverse);
    INDArray gradient = dy.mul(row(weight));
    INDArray projection = gradient.mul(normalised).mean(true, 1);
    dx.addi(gradient.subi(normalised.muli(projection)).muli(inverse));
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
    INDArray means = x.mean(true, 1);
    INDArray centred = x.sub(means);
    INDArray inverse =
        Transforms.sqrt(centred.mul(centred).mean(true, 1).addi(epsilon), false).rdivi(1);
    y.assign(centred.muli(inverse).muli(row(weight)).addi(row(bias)));
    assignVector(means, mean);
    assignVector(inverse, inverseDeviation);
  }

  @Override
  public void layerNormBackward(
      INDArray dy,
      INDArray x,
      INDArray weight,
      INDArray mean,
      INDArray inverseDeviation,
      INDArray dx) {
    INDArray inverse = column(inverseDeviation);
    INDArray normalised = x.sub(column(mean)).muli(inverse);
    INDArray gradient = dy.mul(row(weight));
    INDArray projection = gradient.mul(normalised).mean(true, 1);
    INDArray average = gradient.mean(true, 1);
    dx.assign(gradient.subi(average).subi(normalised.muli(projection)).muli(inverse));
  }

  @Override
  public void swiGlu(INDArray gateUp, INDArray y) {
    long n = y.size(1);
    INDArray gate = columns(gateUp, 0, n).dup('c');
    y.assign(Transforms.sigmoid(gate, true).muli(gate).muli(columns(gateUp, n, 2 * n)));
  }

  @Override
  public void swiGluBackward(INDArray dy, INDArray gateUp, INDArray dGateUp) {
    long n = dy.size(1);
    INDArray gate = columns(gateUp, 0, n).dup('c');
    INDArray sigmoid = Transforms.sigmoid(gate, true);
    INDArray silu = gate.mul(sigmoid);
    // silu' = σ + silu (1 − σ)
    INDArray slope = sigmoid.rsub(1).muli(silu).addi(sigmoid);
    INDArray dGate = slope.muli(columns(gateUp, n, 2 * n)).muli(dy);
    columns(dGateUp, n, 2 * n).assign(silu.muli(dy));
    columns(dGateUp, 0, n).assign(dGate);
  }

  @Override
  public void gelu(INDArray x, INDArray y) {
    y.assign(normalDistribution(x).muli(x));
  }

  @Override
  public void geluBackward(INDArray dy, INDArray x, INDArray dx) {
    INDArray density = Transforms.exp(x.mul(x).muli(-0.5), false).divi(SQRT_TWO_PI);
    dx.assign(density.muli(x).addi(normalDistribution(x)).muli(dy));
  }

  @Override
  public void dropout(INDArray x, DropoutMask mask, INDArray y) {
    y.assign(Nd4jDropout.factors(x.size(0), x.size(1), mask).muli(x));
  }

  @Override
  public void dropoutBackward(INDArray dy, DropoutMask mask, INDArray dx) {
    dx.addi(Nd4jDropout.factors(dy.size(0), dy.size(1), mask).muli(dy));
  }

  @Override
  public void rotate(
      INDArray x, int[] positions, int heads, INDArray cosine, INDArray sine, boolean backward) {
    Nd4jAttention.rotate(x, positions, heads, cosine, sine, backward);
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
    Nd4jAttention.forward(shape, starts, query, key, value, flat(state), result);
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
    Nd4jAttention.cached(shape, starts, firstKeys, lengths, query, keys, values, result);
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
    Nd4jAttention.backward(
        shape, starts, dResult, query, key, value, flat(state), dQuery, dKey, dValue);
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
    put(
        statistics,
        Nd4jExperts.route(
            logits, mask, topK, replay, HostChoice.experts(choice), probabilities, weights));
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
    Nd4jExperts.routeBackward(
        dWeights,
        dProbabilities,
        topK,
        HostChoice.experts(choice),
        probabilities,
        weights,
        dLogits);
  }

  @Override
  public void scaleExperts(
      INDArray h, INDArray weights, INDArray coefficients, int[] firstColumn, INDArray z) {
    z.assign(h.mul(Nd4jExperts.perColumn(weights, firstColumn)).muli(row(coefficients)));
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
    Nd4jExperts.scaleBackward(
        dz, h, restoreZ, weights, coefficients, firstColumn, dWeights, dCoefficients);
  }

  @Override
  public void columnSums(INDArray x, INDArray result) {
    assignVector(x.castTo(DataType.DOUBLE).sum(true, 0), result);
  }

  static INDArray rows(INDArray matrix, long from, long to) {
    return ArrayViews.rows(matrix, from, to - from);
  }

  static INDArray columns(INDArray matrix, long from, long to) {
    return ArrayViews.columns(matrix, from, to - from);
  }

  static INDArray elements(INDArray vector, long from, long to) {
    return Nd4j.create(
        vector.data(), new long[] {to - from}, new long[] {1}, vector.offset() + from, 'c');
  }

  static INDArray row(INDArray vector) {
    return vector.reshape(1, vector.length());
  }

  static INDArray column(INDArray vector) {
    return vector.reshape(vector.length(), 1);
  }

  static INDArray flat(INDArray vector) {
    return vector.reshape(vector.length());
  }

  static void assignVector(INDArray source, INDArray target) {
    target.assign(source.reshape(target.shape()));
  }

  static void write(INDArray source, INDArray target, boolean accumulate) {
    if (accumulate) {
      target.addi(source);
    } else {
      target.assign(source);
    }
  }

  /** {@code Φ(x)}. */
  private static INDArray normalDistribution(INDArray x) {
    INDArray argument = x.mul(SQRT_HALF);
    return Nd4j.exec(new Erf(argument, argument)).addi(1).muli(0.5);
  }
}
