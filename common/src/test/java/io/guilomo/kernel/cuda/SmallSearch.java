package io.guilomo.kernel.cuda;

import io.guilomo.config.SearchConfig.OuterGradient;
import io.guilomo.data.TokenBatch;
import io.guilomo.family.FrozenCopies;
import io.guilomo.family.FrozenMemory;
import io.guilomo.kernel.KernelArrays;
import io.guilomo.kernel.Kernels;
import io.guilomo.network.Backbone;
import io.guilomo.network.LoraMoeNetwork;
import io.guilomo.network.NetworkDefinition;
import io.guilomo.network.Stage;
import io.guilomo.network.TinyModels;
import io.guilomo.search.BilevelStep;
import io.guilomo.search.SearchSettings;
import io.guilomo.search.SearchStepResult;
import io.guilomo.training.LearningRate;
import org.nd4j.linalg.api.buffer.DataType;

/** Some steps of a search over a tiny decoder. */
final class SmallSearch implements AutoCloseable {
  private static final TokenBatch TRAIN = TinyModels.causal(1, 9, 5, 7, 32, 1);
  private static final TokenBatch VALIDATION = TinyModels.causal(2, 6, 8, 20);

  private final Kernels kernels;
  private final LoraMoeNetwork network;
  private final BilevelStep search;
  private long steps;

  SmallSearch(Kernels kernels, DataType matrices) {
    this.kernels = kernels;
    Backbone host = TinyModels.llama(3);
    NetworkDefinition definition =
        TinyModels.definition(host, Stage.SEARCH, TinyModels.uniform(host.config()), 0.1, 0.01);
    this.network =
        LoraMoeNetwork.create(
            definition, FrozenCopies.of(host, new FrozenMemory(kernels, matrices)), kernels);
    TinyModels.shake(network, 4, 0.05);
    SearchSettings settings =
        new SearchSettings(
            SearchSettings.INNER,
            LearningRate.constant(1e-3),
            SearchSettings.OUTER,
            3e-3,
            OuterGradient.SECOND_ORDER,
            true,
            1,
            5);
    this.search = new BilevelStep(network, kernels, settings);
  }

  SearchStepResult step() {
    return search.run(steps++, TRAIN, VALIDATION);
  }

  float[] weights() {
    return KernelArrays.values(kernels, network.weights());
  }

  float[] gsvs() {
    return KernelArrays.values(kernels, network.gsvs());
  }

  @Override
  public void close() {
    network.close();
  }
}
