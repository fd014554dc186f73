package io.guilomo.spark.search;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.config.SearchConfig;
import io.guilomo.kernel.AdamW;
import io.guilomo.network.BackboneConfig;
import io.guilomo.search.SearchSettings;
import io.guilomo.search.SearchStepResult;
import io.guilomo.spark.data.ShardedData;
import io.guilomo.spark.input.Networks;
import io.guilomo.spark.round.Rounds;
import io.guilomo.spark.round.TrainingPlan;
import io.guilomo.spark.worker.BilevelTraining;
import io.guilomo.training.LearningRate;

/** What a configuration makes of a search: the network to search in, and how. */
public final class SearchPlan {

  private SearchPlan() {}

  public static TrainingPlan<SearchStepResult> of(
      GuilomoConfig config, BackboneConfig backbone, ShardedData data, long seed) {
    SearchConfig search = config.search();
    int batchSize = search.batchSize();
    long steps = (data.largestShard() + batchSize - 1) / batchSize * search.epochs();
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
    return new TrainingPlan<>(
        Networks.toSearch(config, backbone, seed, data.classes()),
        new BilevelTraining(settings),
        Rounds.of(steps, config.cluster().averagingFrequency()),
        batchSize,
        seed);
  }
}
