package io.guilomo.kernel.cuda;

import java.util.Arrays;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Routing, scaling of experts, and the masks of GuidedSelection Vectors. */
final class CudaExperts {
  private static final int TOKENS_OF_BLOCK = 128;
  private static final int TOKENS_OF_SUM = 32;
  private static final int WARP = 32;
  private static final int MOST_THREADS = 256;

  private final KernelLaunch launch;
  private final DeviceIndices indices;
  private final DeviceScratch scratch;
  private final CudaRows rows;

  CudaExperts(KernelLaunch launch, DeviceIndices indices, DeviceScratch scratch, CudaRows rows) {
    this.launch = launch;
    this.indices = indices;
    this.scratch = scratch;
    this.rows = rows;
  }

  void route(
      INDArray logits,
      INDArray mask,
      int topK,
      boolean replay,
      CudaChoice choice,
      INDArray probabilities,
      INDArray weights,
      INDArray statistics) {
    int tokens = (int) logits.size(0);
    int experts = (int) logits.size(1);
    int blocks = (tokens + TOKENS_OF_BLOCK - 1) / TOKENS_OF_BLOCK;
    long partial = scratch.of(DeviceScratch.Use.PARTIAL_SUMS, 2L * blocks * experts * Double.BYTES);
    launch
        .of("experts", "route")
        .matrix(logits)
        .vector(mask)
        .integer(tokens)
        .integer(experts)
        .integer(topK)
        .flag(replay)
        .address(choice.address())
        .matrix(probabilities)
        .matrix(weights)
        .address(partial)
        .run(blocks, 1, TOKENS_OF_BLOCK, 1, 0);
    rows.columnTotals(partial, blocks, 2 * experts, null, statistics);
  }

  void entropy(INDArray probabilities, INDArray result) {
    int tokens = (int) probabilities.size(0);
    int blocks = (tokens + TOKENS_OF_BLOCK - 1) / TOKENS_OF_BLOCK;
    long partial = scratch.of(DeviceScratch.Use.PARTIAL_SUMS, (long) blocks * Double.BYTES);
    launch
        .of("experts", "entropy")
        .matrix(probabilities)
        .integer(tokens)
        .integer((int) probabilities.size(1))
        .address(partial)
        .run(blocks, 1, TOKENS_OF_BLOCK, 1, 0);
    rows.columnTotals(partial, blocks, 1, null, result);
  }

  void routeBackward(
      INDArray dWeights,
      INDArray dProbabilities,
      int topK,
      CudaChoice choice,
      INDArray probabilities,
      INDArray weights,
      INDArray dLogits) {
    int tokens = (int) dWeights.size(0);
    launch
        .of("experts", "route_backward")
        .matrix(dWeights)
        .vector(dProbabilities)
        .integer(tokens)
        .integer((int) dWeights.size(1))
        .integer(topK)
        .address(choice.address())
        .matrix(probabilities)
        .matrix(weights)
        .matrix(dLogits)
        .run((tokens + TOKENS_OF_BLOCK - 1) / TOKENS_OF_BLOCK, 1, TOKENS_OF_BLOCK, 1, 0);
  }

  void scale(INDArray h, INDArray weights, INDArray coefficients, int[] firstColumn, INDArray z) {
    long owners = indices.of(expertOfColumn(firstColumn));
    launch
        .of("experts", "scale_experts")
        .matrix(h)
        .matrix(weights)
        .vector(coefficients)
        .address(owners)
        .integer((int) h.size(0))
        .integer((int) h.size(1))
        .matrix(z)
        .rows(h.size(0), h.size(1));
  }

  void scaleBackward(
      INDArray dz,
      INDArray h,
      boolean restoreZ,
      INDArray weights,
      INDArray coefficients,
      int[] firstColumn,
      INDArray dWeights,
      INDArray dCoefficients) {
    int tokens = (int) h.size(0);
    int columns = (int) h.size(1);
    int blocks = (tokens + TOKENS_OF_SUM - 1) / TOKENS_OF_SUM;
    long first = indices.of(firstColumn);
    long owners = indices.of(expertOfColumn(firstColumn));
    long partial =
        dCoefficients == null
            ? 0
            : scratch.of(DeviceScratch.Use.PARTIAL_SUMS, (long) blocks * columns * Double.BYTES);
    launch
        .of("experts", "scale_experts_backward")
        .matrix(dz)
        .matrix(h)
        .flag(restoreZ)
        .matrix(weights)
        .vector(coefficients)
        .address(first)
        .address(owners)
        .integer(tokens)
        .integer((int) weights.size(1))
        .integer(columns)
        .matrix(dWeights)
        .address(partial)
        .run(blocks, 1, Math.min(MOST_THREADS, (columns + WARP - 1) / WARP * WARP), 1, 0);
    if (dCoefficients != null) {
      rows.columnTotals(partial, blocks, columns, dCoefficients, null);
    }
  }

  private static int[] expertOfColumn(int[] firstColumn) {
    int[] expert = new int[firstColumn[firstColumn.length - 1]];
    for (int e = 0; e + 1 < firstColumn.length; e++) {
      Arrays.fill(expert, firstColumn[e], firstColumn[e + 1], e);
    }
    return expert;
  }

  void masks(int[] starts, int[] kinds, INDArray gsvs, INDArray masks) {
    int vectors = kinds.length;
    long atStarts = indices.of(starts);
    long atKinds = indices.of(kinds);
    launch
        .of("selection", "masks")
        .address(atStarts)
        .address(atKinds)
        .integer(vectors)
        .vector(gsvs)
        .vector(masks)
        .elements(vectors, vectors);
  }

  void masksBackward(int[] starts, int[] kinds, INDArray gsvs, INDArray dMasks, INDArray dGsvs) {
    int vectors = kinds.length;
    long atStarts = indices.of(starts);
    long atKinds = indices.of(kinds);
    launch
        .of("selection", "masks_backward")
        .address(atStarts)
        .address(atKinds)
        .integer(vectors)
        .vector(gsvs)
        .vector(dMasks)
        .vector(dGsvs)
        .elements(vectors, vectors);
  }
}
