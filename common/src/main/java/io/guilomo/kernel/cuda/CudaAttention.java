package io.guilomo.kernel.cuda;

import io.guilomo.kernel.AttentionKernels;
import io.guilomo.kernel.AttentionShape;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Attention by tiles (arXiv 2205.14135). A forward pass saves the logarithm of each row's sum of
 * exponentials, {@code [heads, T]}.
 */
record CudaAttention(CudaCard card) implements AttentionKernels {

  private static final int WARP = 32;
  private static final int WARPS = 4;

  /** Larger heads have blocks of fewer rows and columns; as in {@code tiles.cuh}. */
  private static final int LARGEST_NARROW_HEAD = 128;

  private static final int BACKWARD_COLUMNS = 16;

  @Override
  public long attentionState(AttentionShape shape, int[] starts) {
    return (long) shape.heads() * starts[starts.length - 1];
  }

  @Override
  public void rotate(
      INDArray x, int[] positions, int heads, INDArray cosine, INDArray sine, boolean backward) {
    synchronized (card.stream()) {
      card.launch("rotation", "rotate")
          .matrix(x)
          .address(card.indices().of(positions))
          .integer(positions.length, heads, (int) x.size(1) / heads, (int) cosine.size(1))
          .vector(cosine, sine)
          .real(backward ? -1 : 1)
          .rows(x.size(0), heads * cosine.size(1));
    }
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
    synchronized (card.stream()) {
      int[] tiles = tiles(shape, starts);
      int queries = wide(shape) ? rows(shape) : 0;
      begin("attention", shape, starts, tiles, card.exact())
          .matrix(query, key, value)
          .vector(state)
          .matrix(result)
          .run(
              tiles.length / 2,
              shape.heads(),
              threads(shape),
              1,
              floats(shape, 2 * columns(shape) + queries, 0));
    }
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
    synchronized (card.stream()) {
      int tokens = starts[starts.length - 1];
      long delta =
          card.scratch().of(DeviceScratch.Use.DELTA, (long) shape.heads() * tokens * Float.BYTES);
      card.launch("attention", definitions(shape), "attention_delta")
          .matrix(dResult, result)
          .integer(tokens)
          .address(delta)
          .run((tokens + WARPS - 1) / WARPS, shape.heads(), WARPS * WARP, 1, 0);
      int[] tiles = tiles(shape, starts);
      begin("attention_query", shape, starts, tiles, card.exact())
          .matrix(dResult, query, key, value)
          .vector(state)
          .address(delta)
          .matrix(dQuery)
          .run(
              tiles.length / 2,
              shape.heads(),
              threads(shape),
              1,
              floats(shape, 2 * columns(shape) + 2 * rows(shape), 0));
      begin("attention_key", shape, starts, tiles, card.exact())
          .matrix(dResult, query, key, value)
          .vector(state)
          .address(delta)
          .matrix(dKey, dValue)
          .run(
              tiles.length / 2,
              shape.keyValueHeads(),
              threads(shape),
              1,
              floats(shape, 2 * rows(shape) + 2 * BACKWARD_COLUMNS, 2 * BACKWARD_COLUMNS));
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
    synchronized (card.stream()) {
      int tokens = starts[starts.length - 1];
      int[] ranges = new int[2 * tokens];
      for (int s = 0; s < lengths.length; s++) {
        for (int t = starts[s]; t < starts[s + 1]; t++) {
          int last = lengths[s] - (starts[s + 1] - t);
          int first = shape.firstSeen(last);
          ranges[2 * t] = firstKeys[s] + first;
          ranges[2 * t + 1] = firstKeys[s] + last + 1;
        }
      }
      card.launch("cached_attention", definitions(shape), "cached_attention")
          .address(card.indices().of(ranges))
          .integer(shape.heads() / shape.keyValueHeads())
          .real(shape.scale())
          .real(shape.softcap())
          .matrix(query, keys, values, result)
          .run(tokens, shape.heads(), WARPS * WARP, 1, 0);
    }
  }

  private KernelLaunch begin(
      String kernel, AttentionShape shape, int[] starts, int[] tiles, boolean exact) {
    int tokens = starts[starts.length - 1];
    return card.launch("attention", definitions(shape), kernel + (exact ? "_exact" : "_rounded"))
        .address(card.indices().of(starts), card.indices().of(tiles))
        .integer(tokens, shape.heads(), shape.heads() / shape.keyValueHeads())
        .flag(shape.causal())
        .integer(Math.min(shape.window(), tokens))
        .real(shape.scale())
        .real(shape.softcap());
  }

  private static String definitions(AttentionShape shape) {
    return "HEAD_DIM=" + shape.headDim() + (shape.capped() ? " SOFTCAP" : "");
  }

  /**
   * Bytes of {@code rows} rows of one head, padded against bank conflicts, and {@code others} more
   * floats.
   */
  private static int floats(AttentionShape shape, int rows, int others) {
    int stride = (shape.headDim() + 7) / 8 * 8 + 4;
    return (rows * stride + others) * Float.BYTES;
  }

  private static boolean wide(AttentionShape shape) {
    return shape.headDim() > LARGEST_NARROW_HEAD;
  }

  private static int rows(AttentionShape shape) {
    return wide(shape) ? 32 : 64;
  }

  /** A warp for 16 rows. */
  private static int threads(AttentionShape shape) {
    return rows(shape) / 16 * WARP;
  }

  private static int columns(AttentionShape shape) {
    return wide(shape) ? 16 : 32;
  }

  /** Sequence and first row of each block's rows. */
  private static int[] tiles(AttentionShape shape, int[] starts) {
    int rows = rows(shape);
    return IntStream.range(0, starts.length - 1)
        .flatMap(
            s ->
                IntStream.iterate(starts[s], row -> row < starts[s + 1], row -> row + rows)
                    .flatMap(row -> IntStream.of(s, row)))
        .toArray();
  }
}
