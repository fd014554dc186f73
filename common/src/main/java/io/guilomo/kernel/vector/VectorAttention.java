package io.guilomo.kernel.vector;

import static io.guilomo.kernel.vector.VectorMemory.LANES;
import static io.guilomo.kernel.vector.VectorMemory.SPECIES;

import io.guilomo.kernel.AttentionShape;
import io.guilomo.kernel.KernelThreads;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Attention by head and block of rows: one matmul for the scores of a block with all columns that
 * any of its rows attends to; softmax; one matmul with the values.
 */
class VectorAttention {
  /** Rows of a block where every row sees other columns. */
  private static final int NARROW_BLOCK = 64;

  private static final int BLOCK = 128;

  private final AttentionShape shape;
  private final int[] starts;
  private final int[] offsets;
  private final VectorMemory query;
  private final VectorMemory key;
  private final VectorMemory value;
  private final VectorMemory probabilities;

  VectorAttention(
      AttentionShape shape,
      int[] starts,
      VectorMemory query,
      VectorMemory key,
      VectorMemory value,
      VectorMemory probabilities) {
    this.shape = shape;
    this.starts = starts;
    this.query = query;
    this.key = key;
    this.value = value;
    this.probabilities = probabilities;
    this.offsets = new int[starts.length];
    for (int s = 0; s + 1 < starts.length; s++) {
      int n = starts[s + 1] - starts[s];
      offsets[s + 1] = Math.addExact(offsets[s], shape.heads() * n * n);
    }
  }

  void forward(VectorMemory result) {
    forHeads(
        shape.heads(),
        (s, head) -> {
          int n = starts[s + 1] - starts[s];
          int size = blockSize();
          for (int row = 0; row < n; row += size) {
            forward(s, head, row, Math.min(size, n - row), result);
          }
        });
  }

  private void forward(int s, int head, int row, int rows, VectorMemory result) {
    int n = starts[s + 1] - starts[s];
    int first = shape.firstSeen(row);
    int seen = shape.endSeen(row + rows - 1, n) - first;
    int d = shape.headDim();
    int source = head / (shape.heads() / shape.keyValueHeads());
    Blas blas = Blas.ofThread();
    VectorMemory scores = AttentionScratch.ofThread(rows, seen);
    blas.product(
        false,
        true,
        rows,
        seen,
        d,
        shape.scale(),
        query.addressOf(starts[s] + row, head * d),
        query.stride,
        key.addressOf(starts[s] + first, source * d),
        key.stride,
        0,
        scores.address,
        scores.stride);
    if (shape.capped()) {
      for (int i = 0; i < rows; i++) {
        VectorSoftcap.cap(scores, i, shape.softcap());
      }
    }
    for (int i = 0; i < rows; i++) {
      int at = 4 * (offsets[s] + (head * n + row + i) * n);
      zero(probabilities, at, first);
      softmax(
          scores,
          i,
          shape.firstSeen(row + i) - first,
          shape.endSeen(row + i, n) - first,
          seen,
          at + 4 * first);
      zero(probabilities, at + 4 * (first + seen), n - first - seen);
    }
    blas.product(
        false,
        false,
        rows,
        d,
        seen,
        1,
        probabilities.addressOf(0, offsets[s] + (head * n + row) * n + first),
        n,
        value.addressOf(starts[s] + first, source * d),
        value.stride,
        0,
        result.addressOf(starts[s] + row, head * d),
        result.stride);
  }

  /**
   * Softmax of columns {@code low .. high − 1} of a row of scores, 0 in the others up to {@code
   * columns}.
   */
  private void softmax(VectorMemory scores, int row, int low, int high, int columns, int out) {
    int at = scores.at(row, 0);
    float factor = 1 / VectorSoftmax.exponentials(scores, row, low, high, columns);
    int c = 0;
    for (; c <= columns - LANES; c += LANES) {
      probabilities.store(out + 4 * c, scores.load(at + 4 * c).mul(factor));
    }
    for (; c < columns; c++) {
      probabilities.put(out + 4 * c, scores.get(at + 4 * c) * factor);
    }
  }

  void backward(VectorMemory dResult, VectorMemory dQuery, VectorMemory dKey, VectorMemory dValue) {
    int group = shape.heads() / shape.keyValueHeads();
    forHeads(
        shape.keyValueHeads(),
        (s, source) -> {
          int n = starts[s + 1] - starts[s];
          int size = blockSize();
          for (int t = starts[s]; t < starts[s + 1]; t++) {
            zero(dKey, dKey.at(t, source * shape.headDim()), shape.headDim());
            zero(dValue, dValue.at(t, source * shape.headDim()), shape.headDim());
          }
          for (int head = source * group; head < (source + 1) * group; head++) {
            for (int row = 0; row < n; row += size) {
              backward(s, head, row, Math.min(size, n - row), dResult, dQuery, dKey, dValue);
            }
          }
        });
  }

  private void backward(
      int s,
      int head,
      int row,
      int rows,
      VectorMemory dResult,
      VectorMemory dQuery,
      VectorMemory dKey,
      VectorMemory dValue) {
    int n = starts[s + 1] - starts[s];
    int first = shape.firstSeen(row);
    int seen = shape.endSeen(row + rows - 1, n) - first;
    int d = shape.headDim();
    int source = head / (shape.heads() / shape.keyValueHeads());
    int t = starts[s] + row;
    int u = starts[s] + first;
    int at = offsets[s] + (head * n + row) * n + first;
    Blas blas = Blas.ofThread();
    VectorMemory slopes = AttentionScratch.ofThread(shape.capped() ? 2 * rows : rows, seen);
    long dAttended = dResult.addressOf(t, head * d);
    blas.product(
        false,
        true,
        rows,
        seen,
        d,
        1,
        dAttended,
        dResult.stride,
        value.addressOf(u, source * d),
        value.stride,
        0,
        slopes.address,
        slopes.stride);
    for (int i = 0; i < rows; i++) {
      softmaxBackward(slopes, i, seen, 4 * (at + i * n));
    }
    if (shape.capped()) {
      softcapBackward(
          slopes, rows, seen, query.addressOf(t, head * d), key.addressOf(u, source * d));
    }
    long dScores = slopes.address;
    int stride = slopes.stride;
    blas.product(
        false,
        false,
        rows,
        d,
        seen,
        1,
        dScores,
        stride,
        key.addressOf(u, source * d),
        key.stride,
        0,
        dQuery.addressOf(t, head * d),
        dQuery.stride);
    blas.product(
        true,
        false,
        seen,
        d,
        rows,
        1,
        dScores,
        stride,
        query.addressOf(t, head * d),
        query.stride,
        1,
        dKey.addressOf(u, source * d),
        dKey.stride);
    blas.product(
        true,
        false,
        seen,
        d,
        rows,
        1,
        probabilities.addressOf(0, at),
        n,
        dAttended,
        dResult.stride,
        1,
        dValue.addressOf(u, source * d),
        dValue.stride);
  }

  /** {@code scale · p ⊙ (dp − Σ p dp)} over {@code dp}, the row of slopes. */
  private void softmaxBackward(VectorMemory slopes, int row, int columns, int in) {
    int at = slopes.at(row, 0);
    FloatVector sums = FloatVector.zero(SPECIES);
    int c = 0;
    for (; c <= columns - LANES; c += LANES) {
      sums = slopes.load(at + 4 * c).fma(probabilities.load(in + 4 * c), sums);
    }
    float sum = sums.reduceLanes(VectorOperators.ADD);
    for (; c < columns; c++) {
      sum += slopes.get(at + 4 * c) * probabilities.get(in + 4 * c);
    }
    float scale = shape.scale();
    for (c = 0; c <= columns - LANES; c += LANES) {
      FloatVector slope = slopes.load(at + 4 * c).sub(sum).mul(scale);
      slopes.store(at + 4 * c, slope.mul(probabilities.load(in + 4 * c)));
    }
    for (; c < columns; c++) {
      slopes.put(
          at + 4 * c, (slopes.get(at + 4 * c) - sum) * scale * probabilities.get(in + 4 * c));
    }
  }

  /** Multiplies slopes by those of the bound on the scores, which follow behind them meanwhile. */
  private void softcapBackward(
      VectorMemory slopes, int rows, int columns, long queries, long keys) {
    Blas.ofThread()
        .product(
            false,
            true,
            rows,
            columns,
            shape.headDim(),
            shape.scale(),
            queries,
            query.stride,
            keys,
            key.stride,
            0,
            slopes.addressOf(rows, 0),
            slopes.stride);
    for (int i = 0; i < rows; i++) {
      VectorSoftcap.cap(slopes, rows + i, shape.softcap());
      VectorSoftcap.backward(slopes, i, slopes, rows + i, shape.softcap());
    }
  }

  private interface OnHead {
    void run(int sequence, int head);
  }

  private void forHeads(int heads, OnHead body) {
    KernelThreads.run(
        (starts.length - 1) * heads, 1, (from, to) -> body.run(from / heads, from % heads));
  }

  private int blockSize() {
    return shape.causal() || shape.window() > 0 ? NARROW_BLOCK : BLOCK;
  }

  private static void zero(VectorMemory memory, int at, int count) {
    int i = 0;
    for (; i <= count - LANES; i += LANES) {
      memory.store(at + 4 * i, VectorMath.ZERO);
    }
    for (; i < count; i++) {
      memory.put(at + 4 * i, 0);
    }
  }
}
