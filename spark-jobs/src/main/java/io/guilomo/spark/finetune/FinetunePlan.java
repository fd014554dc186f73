package io.guilomo.spark.finetune;

import io.guilomo.config.FinetuneConfig;
import io.guilomo.config.GuilomoConfig;
import io.guilomo.kernel.AdamW;
import io.guilomo.model.UserException;
import io.guilomo.network.BackboneConfig;
import io.guilomo.plan.AllocationPlan;
import io.guilomo.spark.input.Networks;
import io.guilomo.spark.round.Rounds;
import io.guilomo.spark.round.TrainingPlan;
import io.guilomo.spark.worker.PlainTraining;
import io.guilomo.training.LearningRate;
import io.guilomo.training.TrainingStepResult;

/**
 * What configuration and allocation plan make of a fine-tuning: the network to train, how, and how
 * often the model is validated.
 *
 * @param stepsPerValidation steps after which, at the end of their averaging round, the model is
 *     validated
 */
record FinetunePlan(TrainingPlan<TrainingStepResult> training, long stepsPerValidation) {

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
    PlainTraining training =
        new PlainTraining(
            new AdamW(
                finetune.betas().first(),
                finetune.betas().second(),
                finetune.epsilon(),
                finetune.weightDecay()),
            new LearningRate(finetune.learningRate(), finetune.warmupSteps(), steps),
            finetune.clipNorm(),
            finetune.accumulationSteps(),
            seed,
            finetune.recompute());
    return new FinetunePlan(
        new TrainingPlan<>(
            Networks.ofPlan(config, backbone, plan, seed, classes),
            training,
            Rounds.of(steps, config.cluster().averagingFrequency()),
            finetune.batchSize(),
            seed),
        finetune.validateEverySteps() > 0 ? finetune.validateEverySteps() : stepsPerEpoch);
  }
}
