package io.guilomo.spark.job;

import io.guilomo.config.FinetuneConfig;
import io.guilomo.config.GuilomoConfig;
import io.guilomo.kernel.AdamW;
import io.guilomo.model.LinearModule;
import io.guilomo.model.UserException;
import io.guilomo.network.BackboneConfig;
import io.guilomo.network.NetworkDefinition;
import io.guilomo.network.Stage;
import io.guilomo.plan.AllocationPlan;
import io.guilomo.plan.ModulePlan;
import io.guilomo.spark.training.FineTuning;
import io.guilomo.training.LearningRate;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What configuration and allocation plan make of a fine-tuning: the network to train and how long.
 *
 * @param stepsPerValidation steps after which, at the end of their averaging round, the model is
 *     validated
 */
record FinetunePlan(
    NetworkDefinition network, FineTuning training, Rounds rounds, long stepsPerValidation) {

  /**
   * @param shardSize training examples of the largest shard
   * @param classes of a classification; 0 for a causal language model
   * @throws UserException if the plan does not fit the backbone
   */
  static FinetunePlan of(
      GuilomoConfig config,
      BackboneConfig backbone,
      AllocationPlan plan,
      long seed,
      long shardSize,
      int classes) {
    FinetuneConfig finetune = config.finetune();
    long passes = (shardSize + finetune.batchSize() - 1) / finetune.batchSize();
    long stepsPerEpoch = (passes + finetune.accumulationSteps() - 1) / finetune.accumulationSteps();
    long steps = finetune.steps() > 0 ? finetune.steps() : stepsPerEpoch * finetune.epochs();
    FineTuning training =
        new FineTuning(
            new AdamW(
                finetune.betas().first(),
                finetune.betas().second(),
                finetune.epsilon(),
                finetune.weightDecay()),
            new LearningRate(finetune.learningRate(), finetune.warmupSteps(), steps),
            finetune.clipNorm(),
            seed);
    return new FinetunePlan(
        network(config, backbone, plan, seed, classes),
        training,
        Rounds.of(steps, config.cluster().averagingFrequency()),
        finetune.validateEverySteps() > 0 ? finetune.validateEverySteps() : stepsPerEpoch);
  }

  /**
   * The network to train.
   *
   * @throws UserException if the plan does not fit the backbone
   */
  static NetworkDefinition network(
      GuilomoConfig config, BackboneConfig backbone, AllocationPlan plan, long seed, int classes) {
    requireModules(plan, config.model().requirePath(), backbone);
    return new NetworkDefinition(
        config.model().requirePath(),
        backbone,
        Stage.FINE_TUNING,
        plan.moduleExperts(),
        config.loraMoe().dropout(),
        config.loraMoe().loadBalance(),
        classes,
        config.model().pooling(),
        seed);
  }

  /**
   * Every planned module must be one of the model's, and be planned in all of its layers.
   *
   * @throws UserException that names one that is not
   */
  static void requireModules(AllocationPlan plan, String model, BackboneConfig backbone) {
    List<LinearModule> known = backbone.linearModules();
    Set<LinearModule> planned =
        plan.modules().stream().map(ModulePlan::module).collect(Collectors.toSet());
    for (ModulePlan own : plan.modules()) {
      LinearModule module = own.module();
      if (!known.contains(module)) {
        throw otherModel(
            model,
            "%s of %d×%d features: the model has no such module"
                .formatted(module, module.inFeatures(), module.outFeatures()));
      }
    }
    Set<String> names =
        plan.modules().stream().map(own -> own.module().name()).collect(Collectors.toSet());
    for (LinearModule module : known) {
      if (names.contains(module.name()) && !planned.contains(module)) {
        throw otherModel(
            model,
            "fewer layers: the model has %s, of which the plan says nothing".formatted(module));
      }
    }
  }

  private static UserException otherModel(String model, String what) {
    return new UserException(
        String.format("Cannot fine-tune %s with a plan made for %s", model, what));
  }
}
