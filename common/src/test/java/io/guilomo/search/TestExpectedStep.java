package io.guilomo.search;

import static io.guilomo.kernel.KernelArrays.host;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.config.SearchConfig.Estimator;
import io.guilomo.config.SearchConfig.OuterGradient;
import io.guilomo.data.TokenBatch;
import io.guilomo.kernel.Kernels;
import io.guilomo.model.ModuleExperts;
import io.guilomo.model.RoutingMethod;
import io.guilomo.network.Backbone;
import io.guilomo.network.LoraMoeNetwork;
import io.guilomo.network.PassOptions.Routing;
import io.guilomo.network.Stage;
import io.guilomo.network.TinyModels;
import io.guilomo.training.LearningRate;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A search step with masks that are expectations. */
class TestExpectedStep {

  private static final double ETA = 1e-3;
  private static final TokenBatch TRAIN = TinyModels.causal(1, 9, 5, 7);
  private static final TokenBatch VALIDATION = TinyModels.causal(2, 6, 8);

  @ParameterizedTest
  @MethodSource("io.guilomo.kernel.KernelsUnderTest#all")
  void softMasksFollowEveryMoveOfTheGsvs(Kernels kernels) {
    for (OuterGradient mode : List.of(OuterGradient.FIRST_ORDER, OuterGradient.SECOND_ORDER)) {
      SearchSettings settings = soft(mode);
      try (LoraMoeNetwork network = soft(kernels);
          LoraMoeNetwork other = soft(kernels)) {
        assertThat(host(kernels, network.gsvs()).normmaxNumber().doubleValue()).isZero();
        SearchStepResult result =
            new BilevelStep(network, kernels, settings).run(0, TRAIN, VALIDATION);
        assertThat(host(kernels, network.gsvs()).normmaxNumber().doubleValue()).isGreaterThan(0);

        Updates updates = new Updates(other, kernels, settings);
        INDArray start = host(kernels, other.weights());
        double first = other.pass(TRAIN, updates.trainingPass(0).with(Routing.RECORD)).loss();
        if (mode == OuterGradient.SECOND_ORDER) {
          assertThat(result.training().loss()).isEqualTo(first);
        } else {
          other.pass(VALIDATION, updates.validationPass(0));
          updates.outer(0, other.gsvGradient());
          assertSame(host(kernels, network.gsvs()), host(kernels, other.gsvs()));
          assertSame(
              host(kernels, network.gsvFirstMoment()), host(kernels, other.gsvFirstMoment()));
        }
        kernels.copy(network.gsvs(), other.gsvs());
        double moved = other.pass(TRAIN, updates.trainingPass(0)).loss();
        assertThat(moved).isNotEqualTo(first);
        if (mode == OuterGradient.FIRST_ORDER) {
          assertThat(result.training().loss()).isEqualTo(moved);
        }
        updates.clip(other.weightGradient());
        updates.inner(1, ETA, other.weightGradient(), true);
        assertThat(norm(host(kernels, other.weights()).sub(start))).isGreaterThan(0);
        assertSame(host(kernels, network.weights()), host(kernels, other.weights()));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("io.guilomo.kernel.KernelsUnderTest#all")
  void aSoftStepThatFailsLeavesEverythingAsItWas(Kernels kernels) {
    try (LoraMoeNetwork network = soft(kernels)) {
      BilevelStep bilevel = new BilevelStep(network, kernels, soft(OuterGradient.FIRST_ORDER));
      bilevel.run(0, TRAIN, VALIDATION);
      float[] weights = new float[(int) network.weights().length()];
      kernels.read(network.weights(), weights);
      weights[weights.length - 1] = Float.NaN;
      kernels.write(weights, network.weights());
      INDArray gsvs = host(kernels, network.gsvs());
      INDArray mean = host(kernels, network.gsvFirstMoment());
      assertThatThrownBy(() -> bilevel.run(1, TRAIN, VALIDATION))
          .isInstanceOf(ArithmeticException.class);
      assertSame(host(kernels, network.gsvs()), gsvs);
      assertSame(host(kernels, network.gsvFirstMoment()), mean);
    }
  }

  private static LoraMoeNetwork soft(Kernels kernels) {
    Backbone backbone = TinyModels.llama(1);
    List<ModuleExperts> modules =
        backbone.config().linearModules().stream()
            .map(module -> ModuleExperts.uniform(module, 4, 3, 6, RoutingMethod.topK(2)))
            .toList();
    LoraMoeNetwork network =
        TinyModels.network(
            TinyModels.definition(backbone, Stage.SEARCH, modules, 0.3, 0.1)
                .with(Estimator.EXPECTED),
            backbone,
            kernels);
    TinyModels.shake(network, 3, 0.2);
    float[] zeros = new float[(int) network.gsvs().length()];
    kernels.write(zeros, network.gsvs());
    return network;
  }

  private static SearchSettings soft(OuterGradient mode) {
    return new SearchSettings(
        SearchSettings.INNER,
        LearningRate.constant(ETA),
        SearchSettings.OUTER,
        1e-3,
        mode,
        true,
        1,
        7,
        new ExpectedSettings(0, 10));
  }

  private static double norm(INDArray host) {
    return host.norm2Number().doubleValue();
  }

  /** Bit for bit. */
  private static void assertSame(INDArray actual, INDArray expected) {
    assertThat(actual.dup().data().asFloat()).isEqualTo(expected.dup().data().asFloat());
  }
}
