package io.guilomo.kernel.cuda;

import io.guilomo.kernel.ExpertChoice;
import io.guilomo.kernel.ExpertKernels;
import java.util.Arrays;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Routing, scaling of experts, and the masks of GuidedSelection Vectors. */
final class CudaExperts implements ExpertKernels {
  private static final int TOKENS_OF_BLOCK = 128;
  private static final int TOKENS_OF_SUM = 32;
  private static final int WARP = 32;
  private static final int MOST_THREADS = 256;

  private final CudaCard card;
  private final CudaRows rows;

  CudaExperts(CudaCard card, CudaRows rows) {
    this.card = card;
    this.rows = rows;
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
    synchronized (card.stream()) {
      int tokens = (int) logits.size(0);
      int experts = (int) logits.size(1);
      int blocks = (tokens + TOKENS_OF_BLOCK - 1) / TOKENS_OF_BLOCK;
      long partial =
          card.scratch().of(DeviceScratch.Use.PARTIAL_SUMS, 2L * blocks * experts * Double.BYTES);
      card.launch()
          .of("experts", "route")
          .matrix(logits)
          .vector(mask)
          .integer(tokens)
          .integer(experts)
          .integer(topK)
          .flag(replay)
          .address(((CudaChoice) choice).address())
          .matrix(probabilities)
          .matrix(weights)
          .address(partial)
          .run(blocks, 1, TOKENS_OF_BLOCK, 1, 0);
      rows.columnTotals(partial, blocks, 2 * experts, null, statistics);
    }
  }

  @Override
  public void entropy(INDArray probabilities, INDArray result) {
    synchronized (card.stream()) {
      int tokens = (int) probabilities.size(0);
      int blocks = (tokens + TOKENS_OF_BLOCK - 1) / TOKENS_OF_BLOCK;
      long partial =
          card.scratch().of(DeviceScratch.Use.PARTIAL_SUMS, (long) blocks * Double.BYTES);
      card.launch()
          .of("experts", "entropy")
          .matrix(probabilities)
          .integer(tokens)
          .integer((int) probabilities.size(1))
          .address(partial)
          .run(blocks, 1, TOKENS_OF_BLOCK, 1, 0);
      rows.columnTotals(partial, blocks, 1, null, result);
    }
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
    synchronized (card.stream()) {
      int tokens = (int) dWeights.size(0);
      card.launch()
          .of("experts", "route_backward")
          .matrix(dWeights)
          .vector(dProbabilities)
          .integer(tokens)
          .integer((int) dWeights.size(1))
          .integer(topK)
          .address(((CudaChoice) choice).address())
          .matrix(probabilities)
          .matrix(weights)
          .matrix(dLogits)
          .run((tokens + TOKENS_OF_BLOCK - 1) / TOKENS_OF_BLOCK, 1, TOKENS_OF_BLOCK, 1, 0);
    }
  }

  @Override
  public void scaleExperts(
      INDArray h, INDArray weights, INDArray coefficients, int[] firstColumn, INDArray z) {
    synchronized (card.stream()) {
      long owners = card.indices().of(expertOfColumn(firstColumn));
      card.launch()
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
    synchronized (card.stream()) {
      int tokens = (int) h.size(0);
      int columns = (int) h.size(1);
      int blocks = (tokens + TOKENS_OF_SUM - 1) / TOKENS_OF_SUM;
      long first = card.indices().of(firstColumn);
      long owners = card.indices().of(expertOfColumn(firstColumn));
      long partial =
          dCoefficients == null
              ? 0
              : card.scratch()
                  .of(DeviceScratch.Use.PARTIAL_SUMS, (long) blocks * columns * Double.BYTES);
      card.launch()
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
  }

  private static int[] expertOfColumn(int[] firstColumn) {
    int[] expert = new int[firstColumn[firstColumn.length - 1]];
    for (int e = 0; e + 1 < firstColumn.length; e++) {
      Arrays.fill(expert, firstColumn[e], firstColumn[e + 1], e);
    }
    return expert;
  }

  @Override
  public void masks(int[] starts, int[] kinds, INDArray gsvs, INDArray masks) {
    synchronized (card.stream()) {
      int vectors = kinds.length;
      long atStarts = card.indices().of(starts);
      long atKinds = card.indices().of(kinds);
      card.launch()
          .of("selection", "masks")
          .address(atStarts)
          .address(atKinds)
          .integer(vectors)
          .vector(gsvs)
          .vector(masks)
          .elements(vectors, vectors);
    }
  }

  @Override
  public void masksBackward(
      int[] starts, int[] kinds, INDArray gsvs, INDArray dMasks, INDArray dGsvs) {
    synchronized (card.stream()) {
      int vectors = kinds.length;
      long atStarts = card.indices().of(starts);
      long atKinds = card.indices().of(kinds);
      card.launch()
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
}
