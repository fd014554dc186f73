package io.guilomo.network;

import io.guilomo.config.ModelConfig.Pooling;
import io.guilomo.config.SearchConfig.Estimator;
import io.guilomo.model.ModuleExperts;
import io.guilomo.model.UserException;
import java.io.Serializable;
import java.util.List;

/**
 * All that is needed to build a LoRA-MoE network over a frozen backbone.
 *
 * @param backbone URI or path of the backbone
 * @param config the backbone's shape
 * @param modules the modules that carry experts; others stay frozen
 * @param dropout on the input of the experts, in training passes; where they share {@code A}, on
 *     what it makes of it
 * @param loadBalance coefficient of the load-balancing loss
 * @param classes labels of a classification head; 0 for a causal language model
 * @param pooling what the classifier reads; {@link Pooling#AUTO} becomes what it means for the
 *     backbone
 * @param seed of the initial parameters
 * @param estimator that makes masks of the GSVs in the search stage
 */
public record NetworkDefinition(
    String backbone,
    BackboneConfig config,
    Stage stage,
    List<ModuleExperts> modules,
    double dropout,
    double loadBalance,
    int classes,
    Pooling pooling,
    long seed,
    Estimator estimator)
    implements Serializable {

  public NetworkDefinition {
    modules = List.copyOf(modules);
    pooling = config.pooling(pooling);
    if (!(dropout >= 0 && dropout < 1)) {
      throw new UserException("Cannot use a dropout of " + dropout + ": must be in [0, 1)");
    }
    if (!(loadBalance >= 0)) {
      throw new UserException("Cannot use a load-balance coefficient of " + loadBalance);
    }
    if (classes > 0 && pooling == Pooling.HEAD && config.pretrainedHead() == null) {
      throw new UserException(
          "Cannot classify with %s through its own head: its config.json names an architecture"
              + " without one",
          backbone);
    }
    if (classes < 0 || classes == 1) {
      throw new UserException("Cannot classify into " + classes + " classes");
    }
    if (modules.isEmpty()) {
      throw new UserException("Cannot build a network without target modules");
    }
  }

  /** One whose GSVs, if it has any, are estimated as in arXiv 2506.14646. */
  public NetworkDefinition(
      String backbone,
      BackboneConfig config,
      Stage stage,
      List<ModuleExperts> modules,
      double dropout,
      double loadBalance,
      int classes,
      Pooling pooling,
      long seed) {
    this(
        backbone,
        config,
        stage,
        modules,
        dropout,
        loadBalance,
        classes,
        pooling,
        seed,
        Estimator.STRAIGHT_THROUGH);
  }

  /** The same with another estimator. */
  public NetworkDefinition with(Estimator other) {
    return new NetworkDefinition(
        backbone, config, stage, modules, dropout, loadBalance, classes, pooling, seed, other);
  }

  /**
   * Whether the classifier reads the states as the checkpoint's own head does, through the frozen
   * part of it: {@link Pooling#HEAD}.
   */
  public boolean readsThroughPretrainedHead() {
    return classes > 0 && pooling == Pooling.HEAD;
  }

  /**
   * Whether the classifier starts as the checkpoint's: it reads the states alike and chooses one of
   * as many classes. It starts at random otherwise.
   */
  public boolean startsFromPretrainedHead() {
    return readsThroughPretrainedHead()
        && config.pretrainedHead().classes() == classes
        && config.pretrainedHead().singleLabel();
  }
}
