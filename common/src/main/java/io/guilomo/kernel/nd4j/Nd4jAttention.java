package io.guilomo.kernel.nd4j;

import static io.guilomo.kernel.nd4j.Nd4jOperations.elements;
import static io.guilomo.kernel.nd4j.Nd4jOperations.rows;

import io.guilomo.kernel.AttentionKernels;
import io.guilomo.kernel.AttentionShape;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.impl.transforms.custom.SoftMax;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.ops.transforms.Transforms;

/** Attention sequence by sequence, with one batched matmul for all heads of a sequence. */
final class Nd4jAttention implements AttentionKernels {
  private static final double MASKED = 1e30;

  @Override
  public void rotate(
      INDArray x, int[] positions, int heads, INDArray cosine, INDArray sine, boolean backward) {
    long tokens = x.size(0);
    long half = cosine.size(1);
    INDArray cosines = Nd4j.pullRows(cosine, 1, positions, 'c').reshape(tokens, 1, half);
    INDArray sines = Nd4j.pullRows(sine, 1, positions, 'c').reshape(tokens, 1, half);
    if (backward) {
      sines.negi();
    }
    INDArray rotated = x.dup('c').reshape(tokens, heads, x.size(1) / heads);
    INDArray first = features(rotated, 0, half).dup('c');
    INDArray second = features(rotated, half, 2 * half).dup('c');
    features(rotated, 0, half).assign(first.mul(cosines).subi(second.mul(sines)));
    features(rotated, half, 2 * half).assign(first.muli(sines).addi(second.muli(cosines)));
    x.assign(rotated.reshape(tokens, x.size(1)));
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
    long first = 0;
    for (int i = 0; i + 1 < starts.length; i++) {
      long n = (long) starts[i + 1] - starts[i];
      INDArray softmax =
          softmax(shape, heads(shape, query, starts, i), heads(shape, key, starts, i), n, n);
      long next = first + AttentionKernels.kept(shape, n);
      if (next > first) {
        elements(state, first, next).assign(softmax.reshape(softmax.length()));
      }
      INDArray attended =
          Nd4j.matmul(grouped(shape, softmax, n, n), heads(shape, value, starts, i));
      rows(result, starts[i], starts[i + 1]).assign(tokens(attended, shape.heads(), n));
      first = next;
    }
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
    for (int i = 0; i + 1 < starts.length; i++) {
      long n = (long) starts[i + 1] - starts[i];
      int[] kept = {firstKeys[i], firstKeys[i] + lengths[i]};
      INDArray softmax =
          softmax(
              shape, heads(shape, query, starts, i), heads(shape, keys, kept, 0), n, lengths[i]);
      INDArray attended =
          Nd4j.matmul(grouped(shape, softmax, n, lengths[i]), heads(shape, values, kept, 0));
      rows(result, starts[i], starts[i + 1]).assign(tokens(attended, shape.heads(), n));
    }
  }

  /** What the last {@code n} of {@code length} tokens look at: {@code [heads, n, length]}. */
  private static INDArray softmax(
      AttentionShape shape, INDArray query, INDArray key, long n, long length) {
    INDArray scores = scores(shape, query, key).reshape(shape.heads(), n, length);
    if (shape.causal() || shape.window() > 0) {
      scores = scores.add(mask(n, length, shape));
    }
    INDArray softmax = Nd4j.createUninitialized(DataType.FLOAT, shape.heads(), n, length);
    Nd4j.exec(new SoftMax(scores, softmax, 2));
    return softmax;
  }

  /** Scaled and capped, {@code [keyValueHeads, (heads per key/value head) · n, length]}. */
  private static INDArray scores(AttentionShape shape, INDArray query, INDArray key) {
    INDArray scores = Nd4j.matmul(query, key, false, true, false).muli(shape.scale());
    return shape.capped() ? Nd4jActivations.softcap(scores, shape.softcap()) : scores;
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
    long first = 0;
    for (int i = 0; i + 1 < starts.length; i++) {
      long n = (long) starts[i + 1] - starts[i];
      long next = first + AttentionKernels.kept(shape, n);
      INDArray q = heads(shape, query, starts, i);
      INDArray k = heads(shape, key, starts, i);
      INDArray softmax =
          next > first ? elements(state, first, next).dup('c') : softmax(shape, q, k, n, n);
      INDArray p = grouped(shape, softmax, n, n);
      INDArray dAttended = heads(shape, dResult, starts, i);
      INDArray dp =
          Nd4j.matmul(dAttended, heads(shape, value, starts, i), false, true, false).dup('c');
      INDArray dScores = dp.sub(dp.mul(p).sum(true, 2)).muli(p).muli(shape.scale());
      if (shape.capped()) {
        dScores.muli(Nd4jActivations.softcapSlope(scores(shape, q, k), shape.softcap()));
      }
      write(Nd4j.matmul(dScores, k), dQuery, shape.heads(), starts, i);
      write(Nd4j.matmul(dScores, q, true, false, false), dKey, shape.keyValueHeads(), starts, i);
      write(
          Nd4j.matmul(p, dAttended, true, false, false), dValue, shape.keyValueHeads(), starts, i);
      first = next;
    }
  }

  /**
   * The features of sequence {@code i} as {@code [keyValueHeads, (heads per key/value head) · n,
   * headDim]}.
   */
  private static INDArray heads(AttentionShape shape, INDArray x, int[] starts, int i) {
    long n = (long) starts[i + 1] - starts[i];
    long heads = x.size(1) / shape.headDim();
    return rows(x, starts[i], starts[i + 1])
        .dup('c')
        .reshape(n, heads, shape.headDim())
        .permute(1, 0, 2)
        .dup('c')
        .reshape(shape.keyValueHeads(), heads / shape.keyValueHeads() * n, shape.headDim());
  }

  private static INDArray grouped(
      AttentionShape shape, INDArray probabilities, long n, long length) {
    return probabilities.reshape(
        shape.keyValueHeads(), shape.heads() / shape.keyValueHeads() * n, length);
  }

  private static INDArray tokens(INDArray grouped, long heads, long n) {
    long headDim = grouped.size(2);
    return grouped
        .dup('c')
        .reshape(heads, n, headDim)
        .permute(1, 0, 2)
        .dup('c')
        .reshape(n, heads * headDim);
  }

  private static void write(INDArray gradient, INDArray target, long heads, int[] starts, int i) {
    rows(target, starts[i], starts[i + 1])
        .assign(tokens(gradient, heads, starts[i + 1] - starts[i]));
  }

  /**
   * 0 where the last {@code n} of {@code length} positions may look, a large negative number
   * elsewhere: {@code [1, n, length]}.
   */
  private static INDArray mask(long n, long length, AttentionShape shape) {
    INDArray positions = Nd4j.arange(length).castTo(DataType.FLOAT);
    INDArray last = Nd4j.arange(length - n, length).castTo(DataType.FLOAT);
    INDArray distance = last.reshape(n, 1).sub(positions.reshape(1, length));
    INDArray seen = distance.gte(shape.causal() ? 0 : -length).castTo(DataType.FLOAT);
    if (shape.window() > 0) {
      INDArray near = Transforms.abs(distance, true).lt(shape.window());
      seen.muli(near.castTo(DataType.FLOAT));
    }
    return seen.subi(1).muli(MASKED).reshape(1, n, length);
  }

  /** Features {@code from .. to − 1} of every head, of {@code [T, heads, headDim]}. */
  private static INDArray features(INDArray heads, long from, long to) {
    return heads.get(NDArrayIndex.all(), NDArrayIndex.all(), NDArrayIndex.interval(from, to));
  }
}
