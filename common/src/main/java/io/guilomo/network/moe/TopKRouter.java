package io.guilomo.network.moe;

import io.guilomo.kernel.Kernels;
import io.guilomo.model.LinearModule;
import io.guilomo.model.ModuleExperts;
import io.guilomo.model.RoutingMethod;
import io.guilomo.network.ArrayDeclarations;
import io.guilomo.network.BatchLoss;
import io.guilomo.network.Measurements;
import io.guilomo.network.ParameterLayout;
import io.guilomo.network.PassContext;
import io.guilomo.network.WorkingArray;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Every token uses the same number of experts, those of the largest probability; all of them, if
 * routing is dense (HydraLoRA, arXiv 2404.19245):
 *
 * <pre>
 *   p = softmax(x Gᵀ + m)      p̂ = top-k of p, renormalised to sum 1, 0 for the others
 * </pre>
 *
 * (arXiv 2506.14646, eq. 3). Its loss balances the load: {@code E · Σ_e f_e P_e} (arXiv 2101.03961,
 * eq. 4–6), where {@code f_e} is the share of (token, slot) pairs that went to an expert and {@code
 * P_e} the mean of its probabilities, both over the whole batch; {@code f_e} has no gradient. Dense
 * routing has nothing to balance.
 */
final class TopKRouter implements Router {

  private final LinearModule module;
  private final int experts;
  private final int k;
  private final boolean balanced;
  private final WorkingArray probabilities;
  private final RouterEntropy entropy;
  private PassContext context;
  private Measurements.Slot slot;
  private INDArray statistics;
  private INDArray dProbabilities;

  TopKRouter(ModuleExperts spec, ArrayDeclarations arrays) {
    this.module = spec.module();
    this.experts = spec.experts();
    this.k = spec.routing().used(experts);
    this.balanced = !spec.routing().router().equals(RoutingMethod.DENSE);
    this.probabilities = arrays.kept("routing", experts);
    this.entropy = new RouterEntropy(module, 2 * experts);
  }

  @Override
  public void attach(PassContext shared, INDArray parameters, ParameterLayout layout) {
    this.context = shared;
    this.slot = shared.measurements().add(this);
  }

  @Override
  public void forward(INDArray x, INDArray logits, INDArray mask, INDArray weights) {
    if (statistics == null) {
      statistics = slot.statistics(0, 2 * experts);
      dProbabilities = slot.gradient();
    }
    Kernels kernels = context.kernels();
    INDArray p = context.array(probabilities);
    kernels.route(
        logits, mask, k, context.replays(), context.choice(module, k), p, weights, statistics);
    entropy.measure(context, slot, mask, p);
  }

  @Override
  public void backward(
      INDArray x, INDArray dWeights, INDArray weights, INDArray dLogits, INDArray dx) {
    context
        .kernels()
        .routeBackward(
            dWeights,
            dProbabilities,
            k,
            context.choice(module, k),
            context.array(probabilities),
            weights,
            dLogits);
  }

  /** Counts {@code [E]}, sums of the probabilities {@code [E]}, entropy. */
  @Override
  public int statistics() {
    return 2 * experts + 1;
  }

  @Override
  public int gradients() {
    return experts;
  }

  @Override
  public void evaluate(double[] measured, BatchLoss loss, float[] gradient) {
    long[] counts = new long[experts];
    long slots = 0;
    for (int e = 0; e < experts; e++) {
      counts[e] = (long) measured[e];
      slots += counts[e];
    }
    for (int e = 0; balanced && e < experts; e++) {
      double share = (double) counts[e] / slots;
      loss.add(experts * share * measured[experts + e] / loss.tokens());
      gradient[e] = (float) (loss.coefficient() * experts * share / loss.tokens());
    }
    loss.routed(module, counts);
    entropy.report(measured, loss);
  }
}
