package io.guilomo.kernel.vector;

import static io.guilomo.kernel.vector.VectorMemory.LANES;

import io.guilomo.kernel.AttentionShape;
import io.guilomo.kernel.KernelThreads;

/**
 * Attention of new tokens over the cached keys and values of their sequences, by head and block of
 * rows. Scores exist only in the memory of a thread.
 */
record VectorCachedAttention(
    AttentionShape shape,
    int[] starts,
    int[] firstKeys,
    int[] lengths,
    VectorMemory query,
    VectorMemory keys,
    VectorMemory values) {

  private static final int BLOCK = 64;

  void forward(VectorMemory result) {
    KernelThreads.run(
        lengths.length * shape.heads(),
        1,
        (from, to) -> {
          int s = from / shape.heads();
          int added = starts[s + 1] - starts[s];
          for (int row = 0; row < added; row += BLOCK) {
            forward(s, from % shape.heads(), row, Math.min(BLOCK, added - row), result);
          }
        });
  }

  private void forward(int s, int head, int row, int rows, VectorMemory result) {
    int position = lengths[s] - (starts[s + 1] - starts[s]) + row;
    int first = shape.firstSeen(position);
    int seen = position + rows - first;
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
        keys.addressOf(firstKeys[s] + first, source * d),
        keys.stride,
        0,
        scores.address,
        scores.stride);
    if (shape.capped()) {
      for (int i = 0; i < rows; i++) {
        VectorSoftcap.cap(scores, i, shape.softcap());
      }
    }
    for (int i = 0; i < rows; i++) {
      softmax(scores, i, shape.firstSeen(position + i) - first, position + i + 1 - first, seen);
    }
    blas.product(
        false,
        false,
        rows,
        d,
        seen,
        1,
        scores.address,
        scores.stride,
        values.addressOf(firstKeys[s] + first, source * d),
        values.stride,
        0,
        result.addressOf(starts[s] + row, head * d),
        result.stride);
  }

  private static void softmax(VectorMemory scores, int row, int low, int high, int columns) {
    float factor = 1 / VectorSoftmax.exponentials(scores, row, low, high, columns);
    int at = scores.at(row, 0);
    for (int c = 0; c < columns; c += LANES) {
      scores.store(at + 4 * c, scores.load(at + 4 * c).mul(factor));
    }
  }
}
