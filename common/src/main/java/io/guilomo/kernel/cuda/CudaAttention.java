package io.guilomo.kernel.cuda;

import io.guilomo.kernel.AttentionShape;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Attention by tiles (arXiv 2205.14135). What is kept of a forward pass is the logarithm of each
 * row's sum of exponentials, {@code [heads, T]}.
 */
final class CudaAttention {
  private static final int WARP = 32;
  private static final int WARPS = 4;

  /** Rows of a block, and the columns it takes at a time: those of {@code attention.cu}. */
  private static final int ROWS = 64;

  private static final int COLUMNS = 32;
  private static final int BACKWARD_COLUMNS = 16;

  private final KernelLaunch launch;
  private final DeviceIndices indices;
  private final DeviceScratch scratch;

  CudaAttention(KernelLaunch launch, DeviceIndices indices, DeviceScratch scratch) {
    this.launch = launch;
    this.indices = indices;
    this.scratch = scratch;
  }

  static long state(AttentionShape shape, int[] starts) {
    return (long) shape.heads() * starts[starts.length - 1];
  }

  void forward(
      AttentionShape shape,
      int[] starts,
      INDArray query,
      INDArray key,
      INDArray value,
      INDArray state,
      INDArray result,
      boolean exact) {
    int[] tiles = tiles(starts);
    begin("attention", shape, starts, tiles, exact)
        .matrix(query)
        .matrix(key)
        .matrix(value)
        .vector(state)
        .matrix(result)
        .run(tiles.length / 2, shape.heads(), WARPS * WARP, 1, floats(shape, 2 * COLUMNS, 0));
  }

  void backward(
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
      INDArray dValue,
      boolean exact) {
    int tokens = starts[starts.length - 1];
    long delta = scratch.of(DeviceScratch.Use.DELTA, (long) shape.heads() * tokens * Float.BYTES);
    launch
        .of("attention", headDim(shape), "attention_delta")
        .matrix(dResult)
        .matrix(result)
        .integer(tokens)
        .address(delta)
        .run((tokens + WARPS - 1) / WARPS, shape.heads(), WARPS * WARP, 1, 0);
    int[] tiles = tiles(starts);
    begin("attention_query", shape, starts, tiles, exact)
        .matrix(dResult)
        .matrix(query)
        .matrix(key)
        .matrix(value)
        .vector(state)
        .address(delta)
        .matrix(dQuery)
        .run(
            tiles.length / 2,
            shape.heads(),
            WARPS * WARP,
            1,
            floats(shape, 2 * COLUMNS + 2 * ROWS, 0));
    begin("attention_key", shape, starts, tiles, exact)
        .matrix(dResult)
        .matrix(query)
        .matrix(key)
        .matrix(value)
        .vector(state)
        .address(delta)
        .matrix(dKey)
        .matrix(dValue)
        .run(
            tiles.length / 2,
            shape.keyValueHeads(),
            WARPS * WARP,
            1,
            floats(shape, 2 * ROWS + 2 * BACKWARD_COLUMNS, 2 * BACKWARD_COLUMNS));
  }

  void cached(
      AttentionShape shape,
      int[] starts,
      int[] firstKeys,
      int[] lengths,
      INDArray query,
      INDArray keys,
      INDArray values,
      INDArray result) {
    int tokens = starts[starts.length - 1];
    int[] ranges = new int[2 * tokens];
    for (int s = 0; s < lengths.length; s++) {
      for (int t = starts[s]; t < starts[s + 1]; t++) {
        int last = lengths[s] - (starts[s + 1] - t);
        int first = shape.window() == 0 ? 0 : Math.max(0, last - shape.window() + 1);
        ranges[2 * t] = firstKeys[s] + first;
        ranges[2 * t + 1] = firstKeys[s] + last + 1;
      }
    }
    long at = indices.of(ranges);
    launch
        .of("cached_attention", headDim(shape), "cached_attention")
        .address(at)
        .integer(shape.heads() / shape.keyValueHeads())
        .real(shape.scale())
        .matrix(query)
        .matrix(keys)
        .matrix(values)
        .matrix(result)
        .run(tokens, shape.heads(), WARPS * WARP, 1, 0);
  }

  private KernelLaunch begin(
      String kernel, AttentionShape shape, int[] starts, int[] tiles, boolean exact) {
    long atStarts = indices.of(starts);
    long atTiles = indices.of(tiles);
    return launch
        .of("attention", headDim(shape), kernel + (exact ? "_exact" : "_rounded"))
        .address(atStarts)
        .address(atTiles)
        .integer(starts[starts.length - 1])
        .integer(shape.heads())
        .integer(shape.heads() / shape.keyValueHeads())
        .flag(shape.causal())
        .integer(shape.window())
        .real(shape.scale());
  }

  private static String headDim(AttentionShape shape) {
    return "HEAD_DIM=" + shape.headDim();
  }

  /** Bytes of so many rows of one head, which are padded against bank conflicts, and of others. */
  private static int floats(AttentionShape shape, int rows, int others) {
    int stride = (shape.headDim() + 7) / 8 * 8 + 4;
    return (rows * stride + others) * Float.BYTES;
  }

  /** Sequence and first row of each block's rows. */
  private static int[] tiles(int[] starts) {
    return IntStream.range(0, starts.length - 1)
        .flatMap(
            s ->
                IntStream.iterate(starts[s], row -> row < starts[s + 1], row -> row + ROWS)
                    .flatMap(row -> IntStream.of(s, row)))
        .toArray();
  }
}
