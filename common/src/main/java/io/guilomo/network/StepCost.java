package io.guilomo.network;

import io.guilomo.data.TokenBatch;
import io.guilomo.kernel.AttentionShape;
import io.guilomo.model.LinearModule;
import io.guilomo.model.ModuleExperts;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Floating-point operations of the matrix products that a pass must do; a multiplication and an
 * addition are two. What the masks leave unused, attention to later tokens and elementwise work are
 * counted as a plain implementation has them: products in full, elementwise work not at all. The
 * networks that thresholds of routers come from are not counted. Where attention has a window, a
 * token is counted with as many others as a full window holds, or as its sequence has.
 */
public final class StepCost {

  private final NetworkDefinition definition;

  public StepCost(NetworkDefinition definition) {
    this.definition = definition;
  }

  /** One pass over a batch. */
  public double pass(TokenBatch batch, PassOptions.Gradient gradient) {
    BackboneConfig config = definition.config();
    Map<LinearModule, ModuleExperts> experts =
        definition.modules().stream()
            .collect(Collectors.toMap(ModuleExperts::module, Function.identity()));
    double tokens = batch.size();
    double operations = 0;
    for (LinearModule module : config.linearModules()) {
      // Nothing trainable is below the first block, so nothing asks for the gradient of its
      // input.
      boolean inputGradient =
          module.layer() > 0 || !config.attentionInputs().contains(module.name());
      double frozen = (double) module.inFeatures() * module.outFeatures();
      operations += product(tokens, frozen, gradient, inputGradient, false);
      ModuleExperts put = experts.get(module);
      if (put != null) {
        double down = (double) put.rowsOfA() * module.inFeatures();
        double up = (double) put.totalRank() * module.outFeatures();
        double router = (double) put.experts() * module.inFeatures();
        operations += product(tokens, down + router, gradient, inputGradient, true);
        operations += product(tokens, up, gradient, true, true);
      }
    }
    for (int layer = 0; layer < config.layers(); layer++) {
      operations += attention(config.attention(layer), batch, gradient);
    }
    return operations + head(batch, gradient);
  }

  /**
   * A search step, second order, that moves no argmax: two whole passes and two for the GSVs alone.
   */
  public double searchStep(TokenBatch train, TokenBatch validation) {
    return pass(train, PassOptions.Gradient.ALL)
        + pass(validation, PassOptions.Gradient.ALL)
        + 2 * pass(train, PassOptions.Gradient.GSVS);
  }

  /** A search step, first order, with soft masks: a whole pass and one for the GSVs alone. */
  public double firstOrderStep(TokenBatch train, TokenBatch validation) {
    return pass(train, PassOptions.Gradient.ALL) + pass(validation, PassOptions.Gradient.GSVS);
  }

  private static double product(
      double tokens,
      double weights,
      PassOptions.Gradient gradient,
      boolean inputGradient,
      boolean trainable) {
    double forward = 2 * tokens * weights;
    double backward = gradient != PassOptions.Gradient.NONE && inputGradient ? forward : 0;
    double weightGradient = gradient == PassOptions.Gradient.ALL && trainable ? forward : 0;
    return forward + backward + weightGradient;
  }

  /** Scores and weighted sum; each has two products in the backward pass. */
  private static double attention(
      AttentionShape shape, TokenBatch batch, PassOptions.Gradient gradient) {
    double width = (double) shape.heads() * shape.headDim();
    double forward = 0;
    for (int i = 0; i < batch.sequences(); i++) {
      forward += 2 * 2.0 * batch.length(i) * seen(shape, batch.length(i)) * width;
    }
    return gradient == PassOptions.Gradient.NONE ? forward : 3 * forward;
  }

  /** Tokens that are counted for each of {@code length}. */
  private static long seen(AttentionShape shape, int length) {
    if (shape.window() == 0) {
      return length;
    }
    return Math.min(length, shape.causal() ? shape.window() : 2L * shape.window() - 1);
  }

  private double head(TokenBatch batch, PassOptions.Gradient gradient) {
    double hidden = definition.config().hidden();
    if (definition.classes() > 0) {
      double classifier =
          product(batch.sequences(), hidden * definition.classes(), gradient, true, true);
      boolean dense =
          definition.readsThroughPretrainedHead()
              && definition.config().pretrainedHead().activation() != null;
      return dense
          ? classifier + product(batch.sequences(), hidden * hidden, gradient, true, false)
          : classifier;
    }
    double labels = CausalHead.labelled(batch).length;
    return product(labels, hidden * definition.config().vocabulary(), gradient, true, false);
  }
}
