package io.guilomo.training;

import static io.guilomo.kernel.KernelArrays.values;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.data.Example;
import io.guilomo.data.TokenBatch;
import io.guilomo.kernel.AdamW;
import io.guilomo.kernel.ArrayViews;
import io.guilomo.kernel.Kernels;
import io.guilomo.network.Backbone;
import io.guilomo.network.LoraMoeNetwork;
import io.guilomo.network.PassOptions;
import io.guilomo.network.Stage;
import io.guilomo.network.TinyModels;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.assertj.core.data.Offset;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class TestTrainingStep {

  private static final AdamW ADAMW = new AdamW(0.9, 0.999, 1e-8, 0);
  private static final TokenBatch BATCH = TinyModels.causal(2, 9, 5);

  @ParameterizedTest
  @MethodSource("io.guilomo.kernel.KernelsUnderTest#all")
  void lossThatIsNotFiniteMovesNothing(Kernels kernels) {
    try (LoraMoeNetwork network = network(kernels)) {
      TrainingStep step = step(network, kernels, 1);
      step.run(0, BATCH);
      kernels.write(new float[] {Float.NaN}, ArrayViews.slice(network.weights(), 0, 1));
      float[] weights = values(kernels, network.weights());
      float[] moments = values(kernels, network.weightFirstMoment());
      assertThatThrownBy(() -> step.run(3, BATCH))
          .isInstanceOf(ArithmeticException.class)
          .hasMessage("Cannot continue from step 3: the training loss is NaN");
      assertThat(values(kernels, network.weights())).isEqualTo(weights);
      assertThat(values(kernels, network.weightFirstMoment())).isEqualTo(moments);
    }
  }

  @ParameterizedTest
  @MethodSource("io.guilomo.kernel.KernelsUnderTest#all")
  void gradientIsClipped(Kernels kernels) {
    try (LoraMoeNetwork network = network(kernels)) {
      step(network, kernels, 1e-2).run(0, BATCH);
      assertThat(kernels.norm(network.weightFirstMoment()))
          .isCloseTo(0.1 * 1e-2, Offset.offset(1e-8));
    }
  }

  @ParameterizedTest
  @MethodSource("io.guilomo.kernel.KernelsUnderTest#all")
  void learnsABatchByHeart(Kernels kernels) {
    try (LoraMoeNetwork network = network(kernels);
        LoraMoeNetwork same = network(kernels)) {
      TrainingStep step = step(network, kernels, 0);
      TrainingStep again = step(same, kernels, 0);
      double first = step.run(0, BATCH).training().taskLoss();
      assertThat(again.run(0, BATCH).training().taskLoss()).isEqualTo(first);
      double last = first;
      for (int i = 1; i < 40; i++) {
        last = step.run(i, BATCH).training().taskLoss();
        if (i < 3) {
          assertThat(again.run(i, BATCH).training().taskLoss())
              .as("the same dropout in step %d", i)
              .isEqualTo(last);
        }
      }
      assertThat(last).isLessThan(0.5 * first);
    }
  }

  @ParameterizedTest
  @MethodSource("io.guilomo.kernel.KernelsUnderTest#all")
  void severalBatchesAreOne(Kernels kernels) {
    // Three batches of 1, 2 and 3 sequences, and the six sequences as one; without dropout and
    // balance loss, which are drawn and measured a batch.
    List<TokenBatch> parts =
        List.of(
            TinyModels.causal(1, 7, 5), TinyModels.causal(2, 6, 8), TinyModels.causal(3, 3, 4, 9));
    try (LoraMoeNetwork network = network(kernels, 0, 0);
        LoraMoeNetwork same = network(kernels, 0, 0)) {
      TrainingStepResult accumulated =
          step(network, kernels, 0).run(0, parts, PassOptions.Routing.RECORD);
      TrainingStepResult whole = step(same, kernels, 0).run(0, joined(parts));
      assertThat(accumulated.tokens()).isEqualTo(whole.tokens());
      assertThat(accumulated.training().labels()).isEqualTo(whole.training().labels());
      assertThat(accumulated.training().loss())
          .isCloseTo(whole.training().loss(), Offset.offset(1e-6));
      assertThat(accumulated.gradientNorm())
          .isCloseTo(whole.gradientNorm(), Offset.offset(1e-5 * whole.gradientNorm()));
      float[] expected = values(kernels, same.weightFirstMoment());
      float[] actual = values(kernels, network.weightFirstMoment());
      double largest = kernels.norm(same.weightFirstMoment());
      for (int i = 0; i < expected.length; i++) {
        assertThat((double) actual[i]).isCloseTo(expected[i], Offset.offset(1e-5 * largest));
      }
      assertThat(network.routerEntropy().values())
          .allSatisfy(entropy -> assertThat(entropy).isBetween(0.0, Math.log(8)));
      assertThat(same.routerEntropy()).isEmpty();
    }
  }

  private static TokenBatch joined(List<TokenBatch> parts) {
    List<Example> examples = new ArrayList<>();
    for (TokenBatch part : parts) {
      for (int i = 0; i < part.sequences(); i++) {
        int from = part.starts()[i];
        int to = part.starts()[i + 1];
        examples.add(
            new Example(
                Arrays.copyOfRange(part.tokens(), from, to),
                Arrays.copyOfRange(part.segments(), from, to),
                Arrays.copyOfRange(part.labels(), from, to)));
      }
    }
    return TokenBatch.of(examples);
  }

  private static TrainingStep step(LoraMoeNetwork network, Kernels kernels, double clipNorm) {
    return new TrainingStep(
        network,
        kernels,
        new InnerUpdate(network, kernels, ADAMW, clipNorm),
        LearningRate.constant(1e-2),
        7);
  }

  private static LoraMoeNetwork network(Kernels kernels) {
    return network(kernels, 0.05, 0.01);
  }

  private static LoraMoeNetwork network(Kernels kernels, double dropout, double loadBalance) {
    Backbone backbone = TinyModels.llama(1);
    LoraMoeNetwork network =
        TinyModels.network(
            TinyModels.definition(
                backbone,
                Stage.FINE_TUNING,
                TinyModels.unequal(backbone.config(), Stage.FINE_TUNING),
                dropout,
                loadBalance),
            backbone,
            kernels);
    TinyModels.shake(network, 3, 0.1);
    return network;
  }
}
