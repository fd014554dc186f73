package io.guilomo.spark.job;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.config.LoraMoeConfig;
import io.guilomo.config.SearchConfig;
import io.guilomo.kernel.AdamW;
import io.guilomo.model.ModuleExperts;
import io.guilomo.network.BackboneConfig;
import io.guilomo.network.NetworkDefinition;
import io.guilomo.network.Stage;
import io.guilomo.search.SearchSettings;
import io.guilomo.training.LearningRate;
import java.util.List;

/** What the configuration makes of a search: the network to search in and how long. */
record SearchPlan(NetworkDefinition network, SearchSettings settings, Rounds rounds) {

  /**
   * @param shardSize training examples of the largest shard
   * @param classes of a classification; 0 for a causal language model
   */
  static SearchPlan of(
      GuilomoConfig config, BackboneConfig backbone, long seed, long shardSize, int classes) {
    SearchConfig search = config.search();
    long stepsPerEpoch = (shardSize + search.batchSize() - 1) / search.batchSize();
    long steps = stepsPerEpoch * search.epochs();
    SearchSettings settings =
        new SearchSettings(
            new AdamW(
                search.betas().first(),
                search.betas().second(),
                search.epsilon(),
                search.weightDecay()),
            new LearningRate(search.learningRate(), search.warmupSteps(), steps),
            new AdamW(search.gsvBetas().first(), search.gsvBetas().second(), search.epsilon(), 0),
            search.gsvLearningRate(),
            search.outerGradient(),
            search.freezeRouting(),
            search.clipNorm(),
            seed);
    return new SearchPlan(
        network(config, backbone, seed, classes),
        settings,
        Rounds.of(steps, config.cluster().averagingFrequency()));
  }

  /** The network to search in. */
  static NetworkDefinition network(
      GuilomoConfig config, BackboneConfig backbone, long seed, int classes) {
    return new NetworkDefinition(
        config.model().requirePath(),
        backbone,
        Stage.SEARCH,
        experts(config, backbone),
        config.loraMoe().dropout(),
        config.loraMoe().loadBalance(),
        classes,
        config.model().pooling(),
        seed);
  }

  /** The target modules with all candidate experts. */
  private static List<ModuleExperts> experts(GuilomoConfig config, BackboneConfig backbone) {
    LoraMoeConfig lora = config.loraMoe();
    return ModelChecks.targets(config, backbone).stream()
        .map(
            module ->
                ModuleExperts.uniform(
                    module, lora.maxExperts(), lora.maxRank(), lora.alpha(), lora.routing()))
        .toList();
  }
}
