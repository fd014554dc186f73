package io.guilomo.inference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.guilomo.data.TokenBatch;
import io.guilomo.kernel.Kernels;
import io.guilomo.kernel.KernelsUnderTest;
import io.guilomo.metric.Metric;
import io.guilomo.metric.Scored;
import io.guilomo.network.Backbone;
import io.guilomo.network.LoraMoeNetwork;
import io.guilomo.network.PassOptions;
import io.guilomo.network.PassResult;
import io.guilomo.network.Stage;
import io.guilomo.network.TinyModels;
import io.guilomo.uncertainty.HeadCurvature;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.ndarray.INDArray;

class TestClassifier {

  @ParameterizedTest
  @MethodSource("io.guilomo.kernel.KernelsUnderTest#all")
  void lossAndAccuracyAreThoseOfThePass(Kernels kernels) {
    Backbone backbone = TinyModels.bert(1);
    TokenBatch batch = TinyModels.classified(3, 4, 9, 1, 6, 5);
    try (LoraMoeNetwork network =
        TinyModels.network(
            TinyModels.definition(
                backbone,
                Stage.FINE_TUNING,
                TinyModels.unequal(backbone.config(), Stage.FINE_TUNING),
                0.1,
                0),
            backbone,
            kernels)) {
      TinyModels.shake(network, 7, 0.5);
      double[][] probabilities =
          new Classifier(network)
              .outputs(batch).stream()
                  .map(Classifier.Output::probabilities)
                  .toArray(double[][]::new);
      assertThat(probabilities).hasDimensions(5, 3);
      List<Scored> scored = new ArrayList<>();
      for (int i = 0; i < 5; i++) {
        assertThat(Arrays.stream(probabilities[i]).sum()).isCloseTo(1, within(1e-12));
        scored.add(Scored.of(probabilities[i], batch.labels()[batch.starts()[i]]));
      }
      PassResult result = network.pass(batch, PassOptions.evaluation());
      assertThat(Metric.LOSS.of(scored, 3)).isCloseTo(result.taskLoss(), within(1e-6));
      assertThat(Metric.ACCURACY.of(scored, 3)).isEqualTo(result.correct() / 5.0);
    }
  }

  @ParameterizedTest
  @MethodSource("io.guilomo.kernel.KernelsUnderTest#all")
  void logitsAreWhatTheHeadMakesOfItsFeatures(Kernels kernels) {
    Backbone backbone = TinyModels.bert(1);
    TokenBatch batch = TinyModels.classified(3, 4, 9, 1, 6, 5);
    try (LoraMoeNetwork network = TinyModels.tuned(backbone, kernels)) {
      TinyModels.shake(network, 7, 0.5);
      Classifier classifier = new Classifier(network);
      network.download();
      INDArray weight = network.parameter("classifier.weight");
      INDArray bias = network.parameter("classifier.bias");
      for (Classifier.Output output : classifier.outputs(batch)) {
        for (int c = 0; c < network.classes(); c++) {
          double logit = bias.getDouble(c);
          for (int d = 0; d < output.features().length; d++) {
            logit += weight.getDouble(c, d) * output.features()[d];
          }
          assertThat(output.logits()[c]).isCloseTo(logit, within(1e-4));
        }
      }
      HeadCurvature curvature = classifier.flat();
      classifier.add(batch, curvature);
      assertThat(curvature.records()).isEqualTo(5);
      assertThat(curvature.features()).isEqualTo(backbone.config().hidden() + 1);
    }
  }

  @Test
  void aLanguageModelHasNoClasses() {
    try (LoraMoeNetwork network = TinyModels.tuned(TinyModels.llama(1), KernelsUnderTest.any())) {
      assertThatThrownBy(() -> new Classifier(network))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("Cannot classify with a causal language model: it has no classes");
      assertThatThrownBy(network::featureRows)
          .hasMessage("Cannot read the features of a classifier: this is a causal language model");
    }
  }
}
