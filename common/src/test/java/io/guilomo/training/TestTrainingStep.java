package io.guilomo.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.backbone.LlamaBackbone;
import io.guilomo.data.TokenBatch;
import io.guilomo.kernel.AdamW;
import io.guilomo.kernel.Kernels;
import io.guilomo.network.LoraMoeNetwork;
import io.guilomo.network.Stage;
import io.guilomo.network.TinyModels;
import org.assertj.core.data.Offset;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.ndarray.INDArray;

class TestTrainingStep {

  private static final AdamW ADAMW = new AdamW(0.9, 0.999, 1e-8, 0);
  private static final TokenBatch BATCH = TinyModels.causal(2, 9, 5);

  @ParameterizedTest
  @MethodSource("io.guilomo.network.KernelChoices#all")
  void lossThatIsNotFiniteMovesNothing(Kernels kernels) {
    try (LoraMoeNetwork network = network(kernels)) {
      TrainingStep step = step(network, kernels, 1);
      step.run(0, BATCH);
      network.weights().putScalar(0, Float.NaN);
      float[] weights = values(network.weights());
      float[] moments = values(network.weightFirstMoment());
      assertThatThrownBy(() -> step.run(3, BATCH))
          .isInstanceOf(ArithmeticException.class)
          .hasMessage("Cannot go on from step 3: the training loss is NaN");
      assertThat(values(network.weights())).isEqualTo(weights);
      assertThat(values(network.weightFirstMoment())).isEqualTo(moments);
    }
  }

  @ParameterizedTest
  @MethodSource("io.guilomo.network.KernelChoices#all")
  void gradientIsClipped(Kernels kernels) {
    try (LoraMoeNetwork network = network(kernels)) {
      step(network, kernels, 1e-2).run(0, BATCH);
      assertThat(kernels.norm(network.weightFirstMoment()))
          .isCloseTo(0.1 * 1e-2, Offset.offset(1e-8));
    }
  }

  @ParameterizedTest
  @MethodSource("io.guilomo.network.KernelChoices#all")
  void learnsABatchByHeart(Kernels kernels) {
    try (LoraMoeNetwork network = network(kernels);
        LoraMoeNetwork same = network(kernels)) {
      TrainingStep step = step(network, kernels, 0);
      TrainingStep again = step(same, kernels, 0);
      double first = step.run(0, BATCH).taskLoss();
      assertThat(again.run(0, BATCH).taskLoss()).isEqualTo(first);
      double last = first;
      for (int i = 1; i < 40; i++) {
        last = step.run(i, BATCH).taskLoss();
        if (i < 3) {
          assertThat(again.run(i, BATCH).taskLoss())
              .as("the same dropout in step %d", i)
              .isEqualTo(last);
        }
      }
      assertThat(last).isLessThan(0.5 * first);
    }
  }

  private static TrainingStep step(LoraMoeNetwork network, Kernels kernels, double clipNorm) {
    return new TrainingStep(
        network,
        new InnerUpdate(network, kernels, ADAMW, clipNorm),
        LearningRate.constant(1e-2),
        7);
  }

  private static LoraMoeNetwork network(Kernels kernels) {
    LlamaBackbone backbone = TinyModels.llama(1);
    LoraMoeNetwork network =
        LoraMoeNetwork.create(
            TinyModels.definition(
                backbone,
                Stage.FINE_TUNING,
                TinyModels.unequal(backbone.config(), Stage.FINE_TUNING),
                0.05,
                0.01),
            backbone,
            kernels);
    TinyModels.shake(network, 3, 0.1);
    return network;
  }

  private static float[] values(INDArray array) {
    return array.dup().data().asFloat();
  }
}
