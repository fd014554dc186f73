package io.guilomo.search;

import static io.guilomo.kernel.KernelArrays.host;
import static io.guilomo.kernel.KernelArrays.set;
import static io.guilomo.kernel.KernelArrays.values;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.config.SearchConfig.OuterGradient;
import io.guilomo.data.TokenBatch;
import io.guilomo.golden.GoldenFiles;
import io.guilomo.kernel.ArrayViews;
import io.guilomo.kernel.Kernels;
import io.guilomo.model.ModuleExperts;
import io.guilomo.model.RoutingMethod;
import io.guilomo.network.Backbone;
import io.guilomo.network.LoraMoeNetwork;
import io.guilomo.network.PassOptions;
import io.guilomo.network.PassOptions.Gradient;
import io.guilomo.network.PassOptions.Routing;
import io.guilomo.network.Stage;
import io.guilomo.network.TinyModels;
import io.guilomo.training.LearningRate;
import java.util.Arrays;
import java.util.List;
import org.assertj.core.data.Offset;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.ops.transforms.Transforms;

/**
 * What a search step must and must not do, on a tiny random model with dropout and a balance loss.
 */
class TestBilevelStep {

  private static final double ETA = 1e-3;
  private static final double OUTER_RATE = 1e-6;
  private static final TokenBatch TRAIN = TinyModels.causal(1, 9, 5, 7);
  private static final TokenBatch VALIDATION = TinyModels.causal(2, 6, 8);

  @ParameterizedTest
  @MethodSource("io.guilomo.kernel.KernelsUnderTest#all")
  void passForTheGsvsAloneGivesTheSameGradientAsTheWholePass(Kernels kernels) {
    try (LoraMoeNetwork network = network(kernels)) {
      PassOptions options = PassOptions.training(3).with(Routing.RECORD);
      network.pass(TRAIN, options);
      INDArray whole = host(kernels, network.gsvGradient());
      assertThat(norm(whole)).isGreaterThan(1e-4);
      network.pass(TRAIN, options.with(Gradient.GSVS));
      assertSame(host(kernels, network.gsvGradient()), whole);
      network.pass(TRAIN, options.with(Gradient.GSVS).with(Routing.REPLAY));
      assertSame(host(kernels, network.gsvGradient()), whole);
    }
  }

  @ParameterizedTest
  @MethodSource("io.guilomo.kernel.KernelsUnderTest#all")
  void weightsMoveByTheGradientAtTheNewGsvsWhetherOrNotAnArgmaxMoves(Kernels kernels) {
    for (double outerRate : new double[] {OUTER_RATE, 0.3}) {
      SearchSettings settings = settings(OuterGradient.SECOND_ORDER, ETA, outerRate, true, 1);
      try (LoraMoeNetwork network = network(kernels);
          LoraMoeNetwork other = network(kernels)) {
        SearchStepResult result =
            new BilevelStep(network, kernels, settings).run(0, TRAIN, VALIDATION);
        assertThat(result.movedChoices() > 0).isEqualTo(outerRate > OUTER_RATE);

        kernels.copy(network.gsvs(), other.gsvs());
        Updates updates = new Updates(other, kernels, settings);
        other.pass(TRAIN, updates.trainingPass(0));
        assertThat(updates.clip(other.weightGradient())).isGreaterThan(1);
        updates.inner(1, ETA, other.weightGradient(), true);
        assertSame(host(kernels, network.weights()), host(kernels, other.weights()));
        assertSame(
            host(kernels, network.weightFirstMoment()), host(kernels, other.weightFirstMoment()));
        assertSame(
            host(kernels, network.weightSecondMoment()), host(kernels, other.weightSecondMoment()));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("io.guilomo.kernel.KernelsUnderTest#all")
  void secondOrderGradient(Kernels kernels) {
    SearchSettings settings = settings(OuterGradient.SECOND_ORDER, ETA, OUTER_RATE, true, 0);
    try (LoraMoeNetwork network = network(kernels);
        LoraMoeNetwork other = network(kernels)) {
      new BilevelStep(network, kernels, settings).run(0, TRAIN, VALIDATION);

      Updates updates = new Updates(other, kernels, settings);
      PassOptions training = updates.trainingPass(0).with(Routing.RECORD);
      INDArray w = host(kernels, other.weights());
      other.pass(TRAIN, training);
      // The first step of AdamW is η · g / (|g| + 1e-8).
      INDArray g1 = host(kernels, other.weightGradient());
      set(kernels, other.weights(), w.sub(g1.div(Transforms.abs(g1, true).addi(1e-8)).muli(ETA)));
      other.pass(VALIDATION, updates.validationPass(0));
      INDArray direct = host(kernels, other.gsvGradient());
      INDArray v = host(kernels, other.weightGradient());
      double epsilon = 0.01 / v.norm2Number().doubleValue();
      set(kernels, other.weights(), w.add(v.mul(epsilon)));
      other.pass(TRAIN, training.with(Routing.REPLAY));
      INDArray above = host(kernels, other.gsvGradient());
      set(kernels, other.weights(), w.sub(v.mul(epsilon)));
      other.pass(TRAIN, training.with(Routing.REPLAY));
      INDArray correction =
          above.subi(host(kernels, other.gsvGradient())).divi(2 * epsilon).muli(ETA);

      // The correction is a small part of the gradient: it has to be right for itself.
      double share = norm(correction) / norm(direct);
      assertThat(share).isGreaterThan(1e-3);
      INDArray outer = host(kernels, network.gsvFirstMoment()).mul(2);
      GoldenFiles.assertClose("correction", direct.sub(outer), correction, 2e-2);
    }
  }

  @ParameterizedTest
  @MethodSource("io.guilomo.kernel.KernelsUnderTest#all")
  void firstOrderGradientIsTheValidationLossesAtTheWeightsThemselves(Kernels kernels) {
    SearchSettings settings = settings(OuterGradient.FIRST_ORDER, ETA, OUTER_RATE, true, 1);
    try (LoraMoeNetwork network = network(kernels);
        LoraMoeNetwork other = network(kernels)) {
      SearchStepResult result =
          new BilevelStep(network, kernels, settings).run(0, TRAIN, VALIDATION);
      assertThat(result.validationGradientNorm()).isZero();

      double loss =
          other.pass(VALIDATION, new Updates(other, kernels, settings).validationPass(0)).loss();
      assertThat(result.validation().loss()).isEqualTo(loss);
      INDArray gradient = host(kernels, other.gsvGradient());
      GoldenFiles.assertClose(
          "m", host(kernels, network.gsvFirstMoment()), gradient.mul(0.5), 1e-6);
      GoldenFiles.assertClose(
          "v", host(kernels, network.gsvSecondMoment()), gradient.mul(gradient).muli(1e-3), 1e-5);
    }
  }

  @ParameterizedTest
  @MethodSource("io.guilomo.kernel.KernelsUnderTest#all")
  void frozenRoutingMattersOnlyWhereChoicesFlip(Kernels kernels) {
    // With as many experts as a token is routed to there is nothing to choose.
    assertSame(outerGradient(kernels, 2, 1, true), outerGradient(kernels, 2, 1, false));
    // Routers of nearly equal logits, which the ± passes reorder.
    INDArray frozen = outerGradient(kernels, 4, 1e-3, true);
    INDArray chosen = outerGradient(kernels, 4, 1e-3, false);
    assertThat(norm(frozen.sub(chosen))).isGreaterThan(0.1 * norm(frozen));
  }

  private static INDArray outerGradient(
      Kernels kernels, int experts, double routerScale, boolean freeze) {
    try (LoraMoeNetwork network = network(kernels, experts, 0.1)) {
      network.parameterNames().stream()
          .filter(name -> name.endsWith(".router"))
          .forEach(name -> network.parameter(name).muli(routerScale));
      network.upload();
      SearchSettings settings = settings(OuterGradient.SECOND_ORDER, ETA, OUTER_RATE, freeze, 0);
      new BilevelStep(network, kernels, settings).run(0, TRAIN, VALIDATION);
      return host(kernels, network.gsvFirstMoment());
    }
  }

  @ParameterizedTest
  @MethodSource("io.guilomo.kernel.KernelsUnderTest#all")
  void lossThatIsNotFiniteMovesNothing(Kernels kernels) {
    for (OuterGradient mode : OuterGradient.values()) {
      try (LoraMoeNetwork network = network(kernels)) {
        BilevelStep step =
            new BilevelStep(network, kernels, settings(mode, ETA, OUTER_RATE, true, 1));
        for (int i = 0; i < 3; i++) {
          step.run(i, TRAIN, VALIDATION);
        }
        INDArray first = ArrayViews.slice(network.weights(), 0, 1);
        float[] kept = values(kernels, first);
        kernels.write(new float[] {Float.NaN}, first);
        State before = State.of(network);
        assertThatThrownBy(() -> step.run(3, TRAIN, VALIDATION))
            .isInstanceOf(ArithmeticException.class)
            .hasMessage("Cannot continue from step 3: the training loss is NaN");
        before.assertEqual(network);

        kernels.write(kept, first);
        step.run(3, TRAIN, VALIDATION);
        assertThat(values(kernels, first)[0]).isFinite();
      }
    }
  }

  @ParameterizedTest
  @MethodSource("io.guilomo.kernel.KernelsUnderTest#all")
  void validationLossThatIsNotFiniteMovesNothing(Kernels kernels) {
    // First order validates at the weights themselves.
    for (OuterGradient mode : List.of(OuterGradient.SECOND_ORDER, OuterGradient.REFERENCE)) {
      try (LoraMoeNetwork network = network(kernels)) {
        new BilevelStep(network, kernels, settings(mode, ETA, OUTER_RATE, true, 1))
            .run(0, TRAIN, VALIDATION);
        BilevelStep wild =
            new BilevelStep(network, kernels, settings(mode, 1e30, OUTER_RATE, true, 1));
        State before = State.of(network);
        assertThatThrownBy(() -> wild.run(1, TRAIN, VALIDATION))
            .as(mode.toString())
            .isInstanceOf(ArithmeticException.class)
            .hasMessageMatching(
                "Cannot continue from step 1: the validation loss is (NaN|Infinity)");
        before.assertEqual(network);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("io.guilomo.kernel.KernelsUnderTest#all")
  void validationBatchWithoutLabelsLeavesTheGsvsAlone(Kernels kernels) {
    int[] unlabelled = new int[VALIDATION.size()];
    Arrays.fill(unlabelled, TokenBatch.IGNORED);
    TokenBatch validation =
        new TokenBatch(VALIDATION.tokens(), VALIDATION.segments(), unlabelled, VALIDATION.starts());
    for (OuterGradient mode : List.of(OuterGradient.SECOND_ORDER, OuterGradient.FIRST_ORDER)) {
      try (LoraMoeNetwork network = network(kernels, 4, 0)) {
        State before = State.of(network);
        SearchStepResult result =
            new BilevelStep(network, kernels, settings(mode, ETA, OUTER_RATE, true, 1))
                .run(0, TRAIN, validation);
        assertThat(result.validation().labels()).isZero();
        assertThat(result.validation().loss()).isZero();
        assertThat(result.validationGradientNorm()).isZero();
        assertSame(host(kernels, network.gsvs()), before.gsvs());
        assertThat(norm(host(kernels, network.weights()).sub(before.weights())))
            .isGreaterThan(1e-2);
        assertThat(host(kernels, network.weights()).sumNumber().doubleValue()).isFinite();
      }
    }
  }

  @ParameterizedTest
  @MethodSource("io.guilomo.kernel.KernelsUnderTest#all")
  void weightsComeBackExactlyFromTheSideSteps(Kernels kernels) {
    for (OuterGradient mode : OuterGradient.values()) {
      try (LoraMoeNetwork network = network(kernels)) {
        State before = State.of(network);
        // A rate that rounds to no change: what is left is what the virtual step and the ± passes
        // did.
        SearchStepResult result =
            new BilevelStep(network, kernels, settings(mode, 1e-30, OUTER_RATE, true, 1))
                .run(0, TRAIN, VALIDATION);
        assertThat(result.validationGradientNorm() > 0)
            .isEqualTo(mode != OuterGradient.FIRST_ORDER);
        assertSame(host(kernels, network.weights()), before.weights());
        assertThat(norm(host(kernels, network.gsvs()).sub(before.gsvs()))).isGreaterThan(1e-6);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("io.guilomo.kernel.KernelsUnderTest#all")
  void clippingCoversTheWeightsOnly(Kernels kernels) {
    try (LoraMoeNetwork free = network(kernels);
        LoraMoeNetwork clipped = network(kernels)) {
      SearchStepResult expected =
          new BilevelStep(
                  free, kernels, settings(OuterGradient.FIRST_ORDER, ETA, OUTER_RATE, true, 0))
              .run(0, TRAIN, VALIDATION);
      SearchStepResult actual =
          new BilevelStep(
                  clipped,
                  kernels,
                  settings(OuterGradient.FIRST_ORDER, ETA, OUTER_RATE, true, 1e-3))
              .run(0, TRAIN, VALIDATION);
      assertThat(actual.gradientNorm()).isEqualTo(expected.gradientNorm()).isGreaterThan(0.1);
      assertSame(host(kernels, clipped.gsvFirstMoment()), host(kernels, free.gsvFirstMoment()));
      assertSame(host(kernels, clipped.gsvSecondMoment()), host(kernels, free.gsvSecondMoment()));
      assertThat(kernels.norm(clipped.weightFirstMoment()))
          .isCloseTo(0.1 * 1e-3, Offset.offset(1e-9));
      assertThat(kernels.norm(free.weightFirstMoment()))
          .isCloseTo(0.1 * expected.gradientNorm(), Offset.offset(1e-5 * expected.gradientNorm()));
    }
  }

  /** Copies of all that a step moves. */
  private record State(INDArray weights, INDArray gsvs, INDArray updater) {

    static State of(LoraMoeNetwork network) {
      network.download();
      INDArray all = network.host().parameters();
      return new State(
          TinyModels.weights(network).dup(),
          ArrayViews.slice(all, 0, network.gsvs().length()).dup(),
          network.host().moments().dup());
    }

    void assertEqual(LoraMoeNetwork network) {
      State now = of(network);
      assertSame(now.weights, weights);
      assertSame(now.gsvs, gsvs);
      assertSame(now.updater, updater);
    }
  }

  private static double norm(INDArray host) {
    return host.norm2Number().doubleValue();
  }

  /** Bit for bit: ND4J's own equality allows differences of 1e-5. */
  private static void assertSame(INDArray actual, INDArray expected) {
    assertThat(actual.dup().data().asFloat()).isEqualTo(expected.dup().data().asFloat());
  }

  private static LoraMoeNetwork network(Kernels kernels) {
    return network(kernels, 4, 0.1);
  }

  private static LoraMoeNetwork network(Kernels kernels, int experts, double loadBalance) {
    Backbone backbone = TinyModels.llama(1);
    List<ModuleExperts> modules =
        backbone.config().linearModules().stream()
            .map(module -> ModuleExperts.uniform(module, experts, 3, 6, RoutingMethod.topK(2)))
            .toList();
    LoraMoeNetwork network =
        TinyModels.network(
            TinyModels.definition(backbone, Stage.SEARCH, modules, 0.3, loadBalance),
            backbone,
            kernels);
    TinyModels.shake(network, 3, 0.2);
    return network;
  }

  private static SearchSettings settings(
      OuterGradient mode, double eta, double outerRate, boolean freeze, double clipNorm) {
    return new SearchSettings(
        SearchSettings.INNER,
        LearningRate.constant(eta),
        SearchSettings.OUTER,
        outerRate,
        mode,
        freeze,
        clipNorm,
        7);
  }
}
