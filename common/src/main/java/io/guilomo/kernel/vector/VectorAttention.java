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
  private final VectorMemory keptProbabilities;

  /**
   * Queries of one head, and the keys that any of them attends to.
   *
   * @param s position of their sequence in the batch
   * @param row first query, from the start of the sequence
   * @param first first key, from the start of the sequence
   */
  private record Block(int s, int head, int row, int rows, int first, int keys) {}

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
    this.keptProbabilities = probabilities;
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
    VectorMemory scores = AttentionScratch.ofThread(rows, block.keys);
    scores(block, scores, 0);
    long probabilities = scores.address;
    int stride = scores.stride;
    if (kept(s)) {
      keep(block, scores);
      probabilities = keptProbabilities.addressOf(0, kept(block));
      stride = starts[s + 1] - starts[s];
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
            block.keys,
            1,
            probabilities,
            stride,
            value.addressOf(starts[s] + block.first, keyValueHead(head) * d),
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

  private int keyValueHead(int head) {
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
    scaledProducts(block, scores, at);
    if (shape.capped()) {
      for (int i = 0; i < block.rows; i++) {
        VectorSoftcap.cap(scores, at + i, shape.softcap());
      }
    }
  }

  /** {@code scale · Q Kᵀ}, before any bound, from row {@code at} of a memory on. */
  private void scaledProducts(Block block, VectorMemory scores, int at) {
    products(block, shape.scale(), query, key, scores, at);
  }

  /**
   * {@code scale · A Bᵀ}, from row {@code at} of a memory on: {@code A} the block's rows of {@code
   * queries}, {@code B} its rows of {@code keys}, both of its head.
   */
  private void products(
      Block block,
      float scale,
      VectorMemory queries,
      VectorMemory keys,
      VectorMemory result,
      int at) {
    int d = shape.headDim();
    Blas.ofThread()
        .product(
            false,
            true,
            block.rows,
            block.keys,
            d,
            scale,
            queries.addressOf(starts[block.s] + block.row, block.head * d),
            queries.stride,
            keys.addressOf(starts[block.s] + block.first, keyValueHead(block.head) * d),
            keys.stride,
            0,
            result.addressOf(at, 0),
            result.stride);
  }

  /** Keeps the softmax of the rows of scores, with 0 in all other columns of the sequence. */
  private void keep(Block block, VectorMemory scores) {
    int n = starts[block.s + 1] - starts[block.s];
    for (int i = 0; i < block.rows; i++) {
      int at = 4 * (kept(block) + i * n);
      zero(keptProbabilities, at - 4 * block.first, block.first);
      softmax(block, i, scores, i, keptProbabilities, at);
      zero(keptProbabilities, at + 4 * block.keys, n - block.first - block.keys);
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
    float factor = 1 / VectorSoftmax.exponentials(scores, row, low, high, block.keys);
    int c = 0;
    for (; c <= block.keys - LANES; c += LANES) {
      result.store(out + 4 * c, scores.load(at + 4 * c).mul(factor));
    }
    for (; c < block.keys; c++) {
      result.put(out + 4 * c, scores.get(at + 4 * c) * factor);
    }
  }

  void backward(VectorMemory dResult, VectorMemory dQuery, VectorMemory dKey, VectorMemory dValue) {
    int group = shape.heads() / shape.keyValueHeads();
    forHeads(
        shape.keyValueHeads(),
        (s, keyValueHead) -> {
          int n = starts[s + 1] - starts[s];
          int size = blockSize();
          for (int t = starts[s]; t < starts[s + 1]; t++) {
            zero(dKey, dKey.at(t, keyValueHead * shape.headDim()), shape.headDim());
            zero(dValue, dValue.at(t, keyValueHead * shape.headDim()), shape.headDim());
          }
          for (int head = keyValueHead * group; head < (keyValueHead + 1) * group; head++) {
            for (int row = 0; row < n; row += size) {
              backward(s, head, row, Math.min(size, n - row), dResult, dQuery, dKey, dValue);
            }
          }
        });
  }

  /**
   * The backward pass of a block. With its scaled scores {@code S}, their softmax {@code P}, the
   * gradient {@code dO} of the result and the scale {@code s}:
   *
   * <pre>
   *   dP = dO Vᵀ
   *   dS = s · P ⊙ (dP − Σ P ⊙ dP)     the sum over the keys of a query
   *   dS ⊙= 1 − (S / c)²               where the scores are bounded by c
   *   dQ = dS K
   *   dK += dSᵀ Q
   *   dV += Pᵀ dO
   * </pre>
   */
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
    boolean kept = kept(s);
    int scratchRows = rows * (1 + (shape.capped() ? 1 : 0) + (kept ? 0 : 1));
    VectorMemory dScores = AttentionScratch.ofThread(scratchRows, block.keys);
    // Recomputed probabilities are stored after everything else in the scratch array.
    VectorMemory probabilities = kept ? keptProbabilities : dScores;
    int at = kept ? 4 * kept(block) : dScores.at(scratchRows - rows, 0);
    int stride = kept ? starts[s + 1] - starts[s] : dScores.stride;
    if (!kept) {
      scores(block, dScores, scratchRows - rows);
      softmax(block, dScores, scratchRows - rows);
    }
    scoreGradients(block, dResult, probabilities, at, stride, dScores);
    queryAndKeyGradients(block, dScores, dQuery, dKey);
    int d = shape.headDim();
    Blas.ofThread()
        .product(
            true,
            false,
            block.keys,
            d,
            rows,
            1,
            probabilities.address + at,
            stride,
            dResult.addressOf(starts[s] + row, head * d),
            dResult.stride,
            1,
            dValue.addressOf(starts[s] + block.first, keyValueHead(head) * d),
            dValue.stride);
  }

  /**
   * Sets the first rows of {@code dScores} to {@code dS}.
   *
   * @param at where the probabilities of the block's first row begin, in bytes
   * @param stride floats from one row of probabilities to the next
   */
  private void scoreGradients(
      Block block,
      VectorMemory dResult,
      VectorMemory probabilities,
      int at,
      int stride,
      VectorMemory dScores) {
    products(block, 1, dResult, value, dScores, 0);
    for (int i = 0; i < block.rows; i++) {
      softmaxBackward(dScores, i, block.keys, probabilities, at + 4 * i * stride);
    }
    if (shape.capped()) {
      softcapBackward(block, dScores);
    }
  }

  private void queryAndKeyGradients(
      Block block, VectorMemory dScores, VectorMemory dQuery, VectorMemory dKey) {
    int d = shape.headDim();
    int firstQuery = starts[block.s] + block.row;
    int firstKey = starts[block.s] + block.first;
    int queryColumn = block.head * d;
    int keyColumn = keyValueHead(block.head) * d;
    Blas blas = Blas.ofThread();
    blas.product(
        false,
        false,
        block.rows,
        d,
        block.keys,
        1,
        dScores.address,
        dScores.stride,
        key.addressOf(firstKey, keyColumn),
        key.stride,
        0,
        dQuery.addressOf(firstQuery, queryColumn),
        dQuery.stride);
    blas.product(
        true,
        false,
        block.keys,
        d,
        block.rows,
        1,
        dScores.address,
        dScores.stride,
        query.addressOf(firstQuery, queryColumn),
        query.stride,
        1,
        dKey.addressOf(firstKey, keyColumn),
        dKey.stride);
  }

  /**
   * Replaces {@code dP} by {@code s · P ⊙ (dP − Σ P ⊙ dP)}, in one row.
   *
   * @param in where the row's probabilities begin, in bytes
   */
  private void softmaxBackward(
      VectorMemory dScores, int row, int columns, VectorMemory probabilities, int in) {
    int at = dScores.at(row, 0);
    FloatVector sums = FloatVector.zero(SPECIES);
    int c = 0;
    for (; c <= columns - LANES; c += LANES) {
      sums = dScores.load(at + 4 * c).fma(probabilities.load(in + 4 * c), sums);
    }
    float sum = sums.reduceLanes(VectorOperators.ADD);
    for (; c < columns; c++) {
      sum += dScores.get(at + 4 * c) * probabilities.get(in + 4 * c);
    }
    float scale = shape.scale();
    for (c = 0; c <= columns - LANES; c += LANES) {
      FloatVector scaled = dScores.load(at + 4 * c).sub(sum).mul(scale);
      dScores.store(at + 4 * c, scaled.mul(probabilities.load(in + 4 * c)));
    }
    for (; c < columns; c++) {
      dScores.put(
          at + 4 * c, (dScores.get(at + 4 * c) - sum) * scale * probabilities.get(in + 4 * c));
    }
  }

  /** {@code dS ⊙= 1 − (S / c)²}; the scores are recomputed into the rows after {@code dS}. */
  private void softcapBackward(Block block, VectorMemory dScores) {
    scaledProducts(block, dScores, block.rows);
    for (int i = 0; i < block.rows; i++) {
      VectorSoftcap.cap(dScores, block.rows + i, shape.softcap());
      VectorSoftcap.backward(dScores, i, dScores, block.rows + i, shape.softcap());
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
