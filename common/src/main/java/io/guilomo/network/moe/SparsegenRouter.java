package io.guilomo.network.moe;

import io.guilomo.model.LinearModule;
import io.guilomo.model.ModuleExperts;
import io.guilomo.network.ArrayDeclarations;
import io.guilomo.network.BatchLoss;
import io.guilomo.network.Measurements;
import io.guilomo.network.ParameterLayout;
import io.guilomo.network.PassContext;
import io.guilomo.network.WorkingArray;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Every token uses as many experts as its own {@code λ} leaves (LD-MoLE, arXiv 2509.25684, section
 * 3):
 *
 * <pre>
 *   p̂ = sparsegen(x Gᵀ + m, λ)      λ = ln σ(z(x)) + 0.99
 * </pre>
 *
 * where {@link Thresholds} has {@code z}. Its loss asks for at most {@code k} experts: {@code
 * max(0, λ_lo(k) − λ)}, mean over the tokens of the whole batch; {@code λ_lo(k) = 1 − (Σ_{j ≤ k}
 * u_(j) − k · u_(k+1))} has no gradient.
 */
final class SparsegenRouter implements Router {

  private final LinearModule module;
  private final int experts;
  private final int k;
  private final TokenThreshold threshold;
  private final WorkingArray shortfall;
  private final RouterEntropy entropy;
  private PassContext context;
  private Measurements.Slot slot;
  private INDArray statistics;
  private INDArray dShortfall;

  /**
   * @param threshold of the group that the module is in; null where the router only declares
   */
  SparsegenRouter(ModuleExperts spec, TokenThreshold threshold, ArrayDeclarations arrays) {
    this.module = spec.module();
    this.experts = spec.experts();
    this.k = spec.routing().used(experts);
    this.threshold = threshold;
    this.shortfall = arrays.kept("shortfall", 1);
    this.entropy = new RouterEntropy(module, experts + 1);
  }

  @Override
  public void attach(PassContext shared, INDArray parameters, ParameterLayout layout) {
    this.context = shared;
    this.slot = shared.measurements().add(this);
  }

  @Override
  public void forward(INDArray x, INDArray logits, INDArray mask, INDArray weights) {
    if (statistics == null) {
      statistics = slot.statistics(0, experts + 1);
      dShortfall = slot.gradient();
    }
    context
        .kernels()
        .sparsegen(
            logits,
            mask,
            threshold.value(),
            k,
            context.replays(),
            context.choice(module, experts),
            weights,
            context.array(shortfall),
            statistics);
    entropy.measure(context, slot, mask, weights);
  }

  @Override
  public void backward(
      INDArray x, INDArray dWeights, INDArray weights, INDArray dLogits, INDArray dx) {
    context
        .kernels()
        .sparsegenBackward(
            dWeights,
            dShortfall,
            threshold.value(),
            context.choice(module, experts),
            weights,
            context.array(shortfall),
            dLogits,
            threshold.gradient());
  }

  /** Tokens that use each expert {@code [E]}, sum of the shortfall, entropy of the weights. */
  @Override
  public int statistics() {
    return experts + 2;
  }

  /** By the shortfall of each token. */
  @Override
  public int gradients() {
    return 1;
  }

  @Override
  public void evaluate(double[] measured, BatchLoss loss, float[] gradient) {
    loss.add(measured[experts] / loss.tokens());
    gradient[0] = (float) (loss.coefficient() / loss.tokens());
    long[] counts = new long[experts];
    for (int e = 0; e < experts; e++) {
      counts[e] = (long) measured[e];
    }
    loss.routed(module, counts);
    entropy.report(measured, loss);
  }
}
