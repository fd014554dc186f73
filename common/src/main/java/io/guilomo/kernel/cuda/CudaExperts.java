package io.guilomo.kernel.cuda;

import io.guilomo.kernel.ExpertChoice;
import io.guilomo.kernel.ExpertKernels;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Routing, scaling of experts, and the masks of GuidedSelection Vectors. */
record CudaExperts(CudaCard card, CudaRows rows) implements ExpertKernels {

  private static final int TOKENS_OF_BLOCK = 128;
  private static final int TOKENS_OF_SUM = 32;
  private static final int WARP = 32;
  private static final int MOST_THREADS = 256;

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
      card.launch("experts", "route")
          .matrix(logits)
          .vector(mask)
          .integer(tokens, experts, topK)
          .flag(replay)
          .address(((CudaChoices.Choice) choice).address())
          .matrix(probabilities, weights)
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
      card.launch("experts", "entropy")
          .matrix(probabilities)
          .integer(tokens, (int) probabilities.size(1))
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
      card.launch("experts", "route_backward")
          .matrix(dWeights)
          .vector(dProbabilities)
          .integer(tokens, (int) dWeights.size(1), topK)
          .address(((CudaChoices.Choice) choice).address())
          .matrix(probabilities, weights, dLogits)
          .run((tokens + TOKENS_OF_BLOCK - 1) / TOKENS_OF_BLOCK, 1, TOKENS_OF_BLOCK, 1, 0);
    }
  }

  @Override
  public void sparsegen(
      INDArray logits,
      INDArray mask,
      INDArray z,
      int target,
      boolean replay,
      ExpertChoice choice,
      INDArray weights,
      INDArray shortfall,
      INDArray statistics) {
    synchronized (card.stream()) {
      int tokens = (int) logits.size(0);
      int experts = (int) logits.size(1);
      int blocks = (tokens + TOKENS_OF_BLOCK - 1) / TOKENS_OF_BLOCK;
      long partial =
          card.scratch()
              .of(DeviceScratch.Use.PARTIAL_SUMS, (long) blocks * (experts + 1) * Double.BYTES);
      card.launch("sparsegen", "sparsegen")
          .matrix(logits)
          .vector(mask)
          .matrix(z)
          .integer(tokens, experts, target)
          .flag(replay)
          .address(((CudaChoices.Choice) choice).address())
          .matrix(weights, shortfall)
          .address(partial)
          .run(blocks, 1, TOKENS_OF_BLOCK, 1, 0);
      rows.columnTotals(partial, blocks, experts + 1, null, statistics);
    }
  }

  @Override
  public void sparsegenBackward(
      INDArray dWeights,
      INDArray dShortfall,
      INDArray z,
      ExpertChoice choice,
      INDArray weights,
      INDArray shortfall,
      INDArray dLogits,
      INDArray dz) {
    synchronized (card.stream()) {
      int tokens = (int) dWeights.size(0);
      card.launch("sparsegen", "sparsegen_backward")
          .matrix(dWeights)
          .vector(dShortfall)
          .matrix(z)
          .integer(tokens, (int) dWeights.size(1))
          .address(((CudaChoices.Choice) choice).address())
          .matrix(weights, shortfall, dLogits, dz)
          .run((tokens + TOKENS_OF_BLOCK - 1) / TOKENS_OF_BLOCK, 1, TOKENS_OF_BLOCK, 1, 0);
    }
  }

  @Override
  public void scaleExperts(
      INDArray h, INDArray weights, INDArray coefficients, int[] firstColumn, INDArray z) {
    synchronized (card.stream()) {
      card.launch("experts", "scale_experts")
          .matrix(h, weights)
          .vector(coefficients)
          .address(card.indices().of(ExpertKernels.expertOfColumn(firstColumn)))
          .integer((int) h.size(0), (int) h.size(1))
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
      long partial =
          dCoefficients == null
              ? 0
              : card.scratch()
                  .of(DeviceScratch.Use.PARTIAL_SUMS, (long) blocks * columns * Double.BYTES);
      card.launch("experts", "scale_experts_backward")
          .matrix(dz, h)
          .flag(restoreZ)
          .matrix(weights)
          .vector(coefficients)
          .address(
              card.indices().of(firstColumn),
              card.indices().of(ExpertKernels.expertOfColumn(firstColumn)))
          .integer(tokens, (int) weights.size(1), columns)
          .matrix(dWeights)
          .address(partial)
          .run(blocks, 1, Math.min(MOST_THREADS, (columns + WARP - 1) / WARP * WARP), 1, 0);
      if (dCoefficients != null) {
        rows.columnTotals(partial, blocks, columns, dCoefficients, null);
      }
    }
  }

  @Override
  public void masks(int[] starts, int[] kinds, INDArray gsvs, INDArray masks) {
    select("masks", starts, kinds, gsvs, masks);
  }

  @Override
  public void masksBackward(
      int[] starts, int[] kinds, INDArray gsvs, INDArray dMasks, INDArray dGsvs) {
    select("masks_backward", starts, kinds, gsvs, dMasks, dGsvs);
  }

  private void select(String kernel, int[] starts, int[] kinds, INDArray... entries) {
    synchronized (card.stream()) {
      card.launch("selection", kernel)
          .address(card.indices().of(starts), card.indices().of(kinds))
          .integer(kinds.length)
          .vector(entries)
          .elements(kinds.length, kinds.length);
    }
  }
}
