package io.guilomo.kernel.nd4j;

import io.guilomo.kernel.ArrayViews;
import io.guilomo.kernel.AttentionShape;
import io.guilomo.kernel.ExpertChoice;
import io.guilomo.kernel.HostChoice;
import io.guilomo.kernel.HostOperations;
import io.guilomo.kernel.MatmulKernels;
import io.guilomo.kernel.RowKernels;
import java.util.Arrays;
import java.util.function.IntConsumer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.shape.Shape;
import org.nd4j.linalg.factory.Nd4j;

/** The portable operations other than those of layers and flat vectors. */
final class Nd4jOperations extends HostOperations implements MatmulKernels, RowKernels {

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
}
