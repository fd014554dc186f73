package io.guilomo.kernel.vector;

import static io.guilomo.kernel.vector.VectorMemory.LANES;
import static io.guilomo.kernel.vector.VectorMemory.SPECIES;

import io.guilomo.kernel.AttentionKernels;
import io.guilomo.kernel.AttentionShape;
import io.guilomo.kernel.KernelThreads;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Attention by head and block of rows: one matmul for the scores of a block with all columns that
 * any of its rows attends to; softmax; one matmul with the values. Probabilities of short sequences
 * are kept for the backward pass, which computes those of long ones again.
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

  /** Of a block, in rows of a memory. */
  private record Block(int s, int head, int row, int rows, int first, int seen) {}

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
      long kept = AttentionKernels.kept(shape, (long) starts[s + 1] - starts[s]);
      offsets[s + 1] = Math.toIntExact(offsets[s] + kept);
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
    Block block = block(s, head, row, rows);
    VectorMemory scores = AttentionScratch.ofThread(rows, block.seen);
    scores(block, scores, 0);
    long attending = scores.address;
    int stride = scores.stride;
    if (kept(s)) {
      keep(block, scores);
      int n = starts[s + 1] - starts[s];
      attending = probabilities.addressOf(0, kept(block));
      stride = n;
    } else {
      softmax(block, scores, 0);
    }
    int d = shape.headDim();
    Blas.ofThread()
        .product(
            false,
            false,
            rows,
            d,
            block.seen,
            1,
            attending,
            stride,
            value.addressOf(starts[s] + block.first, source(head) * d),
            value.stride,
            0,
            result.addressOf(starts[s] + row, head * d),
            result.stride);
  }

  private Block block(int s, int head, int row, int rows) {
    int first = shape.firstSeen(row);
    int n = starts[s + 1] - starts[s];
    return new Block(s, head, row, rows, first, shape.endSeen(row + rows - 1, n) - first);
  }

  private int source(int head) {
    return head / (shape.heads() / shape.keyValueHeads());
  }

  private boolean kept(int s) {
    return offsets[s + 1] > offsets[s];
  }

  /** Where the first probability of a block is kept that may be above 0. */
  private int kept(Block block) {
    int n = starts[block.s + 1] - starts[block.s];
    return offsets[block.s] + (block.head * n + block.row) * n + block.first;
  }

  /** Scaled and capped, from row {@code at} of a memory on. */
  private void scores(Block block, VectorMemory scores, int at) {
    int d = shape.headDim();
    Blas.ofThread()
        .product(
            false,
            true,
            block.rows,
            block.seen,
            d,
            shape.scale(),
            query.addressOf(starts[block.s] + block.row, block.head * d),
            query.stride,
            key.addressOf(starts[block.s] + block.first, source(block.head) * d),
            key.stride,
            0,
            scores.addressOf(at, 0),
            scores.stride);
    if (shape.capped()) {
      for (int i = 0; i < block.rows; i++) {
        VectorSoftcap.cap(scores, at + i, shape.softcap());
      }
    }
  }

  /** Keeps the softmax of the rows of scores, with 0 in all other columns of the sequence. */
  private void keep(Block block, VectorMemory scores) {
    int n = starts[block.s + 1] - starts[block.s];
    for (int i = 0; i < block.rows; i++) {
      int at = 4 * (kept(block) + i * n);
      zero(probabilities, at - 4 * block.first, block.first);
      softmax(block, i, scores, i, probabilities, at);
      zero(probabilities, at + 4 * block.seen, n - block.first - block.seen);
    }
  }

  /** Softmax of the rows of scores from {@code at} on, in place. */
  private void softmax(Block block, VectorMemory scores, int at) {
    for (int i = 0; i < block.rows; i++) {
      softmax(block, i, scores, at + i, scores, scores.at(at + i, 0));
    }
  }

  /** Softmax of one row of scores, 0 in the columns of the block that it does not attend to. */
  private void softmax(
      Block block, int i, VectorMemory scores, int row, VectorMemory result, int out) {
    int n = starts[block.s + 1] - starts[block.s];
    int low = shape.firstSeen(block.row + i) - block.first;
    int high = shape.endSeen(block.row + i, n) - block.first;
    int at = scores.at(row, 0);
    float factor = 1 / VectorSoftmax.exponentials(scores, row, low, high, block.seen);
    int c = 0;
    for (; c <= block.seen - LANES; c += LANES) {
      result.store(out + 4 * c, scores.load(at + 4 * c).mul(factor));
    }
    for (; c < block.seen; c++) {
      result.put(out + 4 * c, scores.get(at + 4 * c) * factor);
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
    Block block = block(s, head, row, rows);
    int seen = block.seen;
    int d = shape.headDim();
    int source = source(head);
    int t = starts[s] + row;
    int u = starts[s] + block.first;
    Blas blas = Blas.ofThread();
    boolean kept = kept(s);
    int scratchRows = rows * (1 + (shape.capped() ? 1 : 0) + (kept ? 0 : 1));
    VectorMemory slopes = AttentionScratch.ofThread(scratchRows, seen);
    // Those that are not kept stand behind all else.
    VectorMemory attending = kept ? probabilities : slopes;
    int at = kept ? 4 * kept(block) : slopes.at(scratchRows - rows, 0);
    int atStride = kept ? starts[s + 1] - starts[s] : slopes.stride;
    if (!kept) {
      scores(block, slopes, scratchRows - rows);
      softmax(block, slopes, scratchRows - rows);
    }
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
      softmaxBackward(slopes, i, seen, attending, at + 4 * i * atStride);
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
        attending.address + at,
        atStride,
        dAttended,
        dResult.stride,
        1,
        dValue.addressOf(u, source * d),
        dValue.stride);
  }

  /** {@code scale · p ⊙ (dp − Σ p dp)} over {@code dp}, the row of slopes. */
  private void softmaxBackward(
      VectorMemory slopes, int row, int columns, VectorMemory attending, int in) {
    int at = slopes.at(row, 0);
    FloatVector sums = FloatVector.zero(SPECIES);
    int c = 0;
    for (; c <= columns - LANES; c += LANES) {
      sums = slopes.load(at + 4 * c).fma(attending.load(in + 4 * c), sums);
    }
    float sum = sums.reduceLanes(VectorOperators.ADD);
    for (; c < columns; c++) {
      sum += slopes.get(at + 4 * c) * attending.get(in + 4 * c);
    }
    float scale = shape.scale();
    for (c = 0; c <= columns - LANES; c += LANES) {
      FloatVector slope = slopes.load(at + 4 * c).sub(sum).mul(scale);
      slopes.store(at + 4 * c, slope.mul(attending.load(in + 4 * c)));
    }
    for (; c < columns; c++) {
      slopes.put(at + 4 * c, (slopes.get(at + 4 * c) - sum) * scale * attending.get(in + 4 * c));
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
