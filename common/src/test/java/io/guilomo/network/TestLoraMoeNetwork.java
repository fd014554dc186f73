package io.guilomo.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.config.SearchConfig.OuterGradient;
import io.guilomo.data.Example;
import io.guilomo.data.TokenBatch;
import io.guilomo.family.FrozenCopies;
import io.guilomo.kernel.ArrayViews;
import io.guilomo.kernel.KernelArrays;
import io.guilomo.kernel.KernelSelection;
import io.guilomo.kernel.Kernels;
import io.guilomo.kernel.KernelsUnderTest;
import io.guilomo.model.ModuleExperts;
import io.guilomo.network.PassOptions.Routing;
import io.guilomo.search.BilevelStep;
import io.guilomo.search.SearchSettings;
import io.guilomo.training.LearningRate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.commons.lang3.SerializationUtils;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class TestLoraMoeNetwork {

  private static final Backbone BACKBONE = TinyModels.llama(1);
  private static final TokenBatch BATCH = TinyModels.causal(2, 9, 5);

  @Test
  void parametersOfAPlan() {
    NetworkDefinition definition = unequal(0.1);
    long expected = 0;
    for (ModuleExperts module : definition.modules()) {
      int in = module.module().inFeatures();
      int out = module.module().outFeatures();
      for (int rank : module.ranks()) {
        expected += (long) rank * (in + out);
      }
      expected += (long) module.experts() * in;
    }
    try (LoraMoeNetwork network = create(definition)) {
      assertThat(network.host().size()).isEqualTo(expected);
      assertThat(network.weights().length()).isEqualTo(expected);
      assertThat(network.modules()).isEqualTo(definition.modules());
      assertThat(network.host().moments().length()).isEqualTo(2 * expected);
    }
  }

  @Test
  void flatVectorStartsWithTheGsvs() {
    try (LoraMoeNetwork network = create(search(0))) {
      // 14 modules, each with a vector of 4 and four of 3.
      int gsvs = 14 * (4 + 4 * 3);
      assertThat(network.gsvs().length()).isEqualTo(gsvs);
      assertThat(network.maskChoices()).hasSize(14 * 5);
      assertThat(network.parameterNames().subList(0, 6))
          .containsExactly(
              "0.q-proj.experts",
              "0.q-proj.ranks.0",
              "0.q-proj.ranks.1",
              "0.q-proj.ranks.2",
              "0.q-proj.ranks.3",
              "0.k-proj.experts");
      network.parameter("0.q-proj.ranks.1").assign(7);
      float[] flat = network.host().parameters().dup().data().asFloat();
      for (int i = 0; i < 16; i++) {
        assertThat(flat[i] == 7).as("element %d", i).isEqualTo(i >= 7 && i < 10);
      }
      assertThat(network.gsvs().length() + network.weights().length())
          .isEqualTo(network.host().size());
      assertThat(network.host().moments().length()).isEqualTo(2 * network.host().size());
      Kernels kernels = KernelsUnderTest.any();
      kernels.fill(network.gsvFirstMoment(), 1);
      kernels.fill(network.gsvSecondMoment(), 2);
      kernels.fill(network.weightFirstMoment(), 3);
      kernels.fill(network.weightSecondMoment(), 4);
      network.download();
      float[] state = network.host().moments().dup().data().asFloat();
      int weights = (int) network.weights().length();
      int[] ends = {gsvs, 2 * gsvs, 2 * gsvs + weights, 2 * gsvs + 2 * weights};
      int part = 0;
      for (int i = 0; i < state.length; i++) {
        part += i == ends[part] ? 1 : 0;
        assertThat(state[i]).isEqualTo(part + 1);
      }
      assertThatThrownBy(() -> network.parameter("0.q-proj.C"))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("Cannot find parameter 0.q-proj.C");
    }
  }

  @ParameterizedTest
  @MethodSource("io.guilomo.kernel.KernelsUnderTest#all")
  void definitionSurvivesItsTravel(Kernels kernels) {
    for (NetworkDefinition definition : List.of(search(0.1), unequal(0.1))) {
      NetworkDefinition travelled = SerializationUtils.clone(definition);
      assertThat(travelled).isEqualTo(definition);
      HostParameters host = HostParameters.initial(travelled);
      try (LoraMoeNetwork read =
              LoraMoeNetwork.of(travelled, host, FrozenCopies.of(BACKBONE, kernels), kernels);
          LoraMoeNetwork written = TinyModels.network(definition, BACKBONE, kernels)) {
        assertThat(read.modules()).isEqualTo(written.modules());
        assertThat(values(host.parameters()))
            .as("same seed")
            .isEqualTo(values(written.host().parameters()));
        TinyModels.shake(written, 3, 0.1);
        double fresh = read.pass(BATCH, PassOptions.training(4)).loss();
        host.parameters().assign(written.host().parameters());
        read.upload();
        double same = read.pass(BATCH, PassOptions.training(4)).loss();
        assertThat(same)
            .isEqualTo(written.pass(BATCH, PassOptions.training(4)).loss())
            .isNotEqualTo(fresh);
      }
    }
  }

  @Test
  void parametersDependOnTheSeed() {
    NetworkDefinition one = search(0);
    NetworkDefinition two =
        new NetworkDefinition(
            one.backbone(),
            one.config(),
            one.stage(),
            one.modules(),
            0.3,
            0,
            0,
            one.pooling(),
            one.seed() + 1);
    try (LoraMoeNetwork first = create(one);
        LoraMoeNetwork second = create(two)) {
      for (String name : first.parameterNames()) {
        float[] values = values(first.parameter(name));
        if (name.endsWith(".lambda")) {
          assertThat(values).containsOnly(1f);
        } else {
          assertThat(values).as(name).isNotEqualTo(values(second.parameter(name)));
        }
      }
      Set<Float> firsts = new HashSet<>();
      first.parameterNames().stream()
          .filter(name -> name.endsWith(".A"))
          .forEach(name -> firsts.add(first.parameter(name).getFloat(0)));
      assertThat(firsts).as("different parameters start differently").hasSize(14);
    }
  }

  @Test
  void otherModulesStayFrozen() {
    List<ModuleExperts> some =
        TinyModels.uniform(BACKBONE.config()).stream()
            .filter(module -> module.module().name().matches("k_proj|down_proj"))
            .toList();
    for (Stage stage : Stage.values()) {
      NetworkDefinition definition = TinyModels.definition(BACKBONE, stage, some, 0.3, 0);
      try (LoraMoeNetwork network = create(definition)) {
        TinyModels.shake(network, 3, 0.1);
        assertThat(network.modules()).isEqualTo(some).hasSize(4);
        assertThat(network.parameterNames())
            .allMatch(name -> name.matches("[01]\\.(k|down)-proj\\..*"));
        network.pass(BATCH, PassOptions.training(1).with(Routing.RECORD));
        assertThat(network.routedTokens()).hasSize(4);
        network.download();
        assertThat(network.gradient("0.k-proj.A").norm2Number().doubleValue()).isPositive();
        assertThat(network.gradient("1.down-proj.B").norm2Number().doubleValue()).isPositive();
      }
    }
  }

  @Test
  void refusesTokensItCannotRead() {
    try (LoraMoeNetwork network = create(unequal(0))) {
      for (int token : new int[] {11, -1}) {
        assertThatThrownBy(() -> network.pass(batch(new int[] {1, token}), PassOptions.training(1)))
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessage("Cannot embed token " + token + ": the vocabulary has 11");
      }
      assertThatThrownBy(() -> network.logits(batch(new int[33])))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("Cannot read a sequence of 33 tokens: the model has 32 positions");
      assertThat(network.pass(batch(new int[32]), PassOptions.training(1)).loss()).isFinite();
    }
  }

  /** Of the third of three like it. */
  private static long buffersOfAStep(BilevelStep step, TokenBatch train, TokenBatch validation) {
    long before = 0;
    for (int i = 0; i < 3; i++) {
      before = Nd4j.getDeallocatorService().nextValue();
      step.run(i, train, validation);
    }
    return Nd4j.getDeallocatorService().nextValue() - before - 1;
  }

  private static SearchSettings settings() {
    return new SearchSettings(
        SearchSettings.INNER,
        LearningRate.constant(1e-3),
        SearchSettings.OUTER,
        3e-3,
        OuterGradient.SECOND_ORDER,
        true,
        1,
        1);
  }

  @ParameterizedTest
  @MethodSource("io.guilomo.kernel.KernelsUnderTest#all")
  void workingArraysDoNotGrow(Kernels kernels) {
    try (LoraMoeNetwork network = TinyModels.network(search(0.1), BACKBONE, kernels)) {
      BilevelStep step = new BilevelStep(network, kernels, settings());
      long bytes = 0;
      for (int i = 0; i < 6; i++) {
        step.run(i, TinyModels.causal(i, 9 - i, 5), TinyModels.causal(100 + i, 6, 3 + i % 2));
        if (i == 1) {
          bytes = network.workingBytes();
        }
      }
      assertThat(bytes).isPositive();
      assertThat(network.workingBytes()).isEqualTo(bytes);
    }
  }

  /**
   * ND4J numbers the buffers that it makes. What is left are single numbers and views of the flat
   * vector: as many however long the batch is.
   */
  @Test
  void stepsMakeNoArraysOfTokens() {
    int[] split = new int[16];
    Arrays.fill(split, 30);
    int[] longer = new int[20];
    Arrays.fill(longer, 30);
    Kernels kernels = KernelSelection.named("vector");
    try (LoraMoeNetwork network = TinyModels.network(search(0.1), BACKBONE, kernels)) {
      BilevelStep step = new BilevelStep(network, kernels, settings());
      assertThat(buffersOfAStep(step, TinyModels.causal(1, 9, 5), TinyModels.causal(2, 6, 3)))
          .isLessThan(200);
      assertThat(buffersOfAStep(step, TinyModels.causal(1, 9, 5, 8), TinyModels.causal(2, 6, 3, 7)))
          .isLessThan(200);
      assertThat(buffersOfAStep(step, TinyModels.causal(1, split), TinyModels.causal(2, split)))
          .isLessThan(200);
      assertThat(buffersOfAStep(step, TinyModels.causal(1, longer), TinyModels.causal(2, longer)))
          .isLessThan(200);
    }
  }

  @ParameterizedTest
  @MethodSource("io.guilomo.kernel.KernelsUnderTest#all")
  void onlyLabelsAreLearned(Kernels kernels) {
    try (LoraMoeNetwork network = TinyModels.network(unequal(0), BACKBONE, kernels)) {
      TinyModels.shake(network, 3, 0.1);
      int[] tokens = {1, 2, 3, 4, 5};
      int ignored = TokenBatch.IGNORED;
      PassResult answer =
          network.pass(batch(tokens, ignored, ignored, ignored, 4, 5), PassOptions.training(1));
      float[] gradient = KernelArrays.values(kernels, network.weightGradient());
      assertThat(answer.labels()).isEqualTo(2);
      // Nothing comes before the first token, so its label cannot be learned either.
      PassResult first =
          network.pass(batch(tokens, 1, ignored, ignored, 4, 5), PassOptions.training(1));
      assertThat(first).isEqualTo(answer);
      assertThat(KernelArrays.values(kernels, network.weightGradient())).isEqualTo(gradient);
      PassResult prompt =
          network.pass(batch(tokens, ignored, 2, ignored, 4, 5), PassOptions.training(1));
      assertThat(prompt.labels()).isEqualTo(3);
      assertThat(prompt.loss()).isNotEqualTo(answer.loss());
    }
  }

  @ParameterizedTest
  @MethodSource("io.guilomo.kernel.KernelsUnderTest#all")
  void sequencesDoNotSeeEachOther(Kernels kernels) {
    NetworkDefinition definition =
        TinyModels.definition(
            BACKBONE,
            Stage.FINE_TUNING,
            TinyModels.unequal(BACKBONE.config(), Stage.FINE_TUNING),
            0,
            0);
    try (LoraMoeNetwork network = TinyModels.network(definition, BACKBONE, kernels)) {
      TinyModels.shake(network, 3, 0.2);
      List<Example> examples = new ArrayList<>();
      for (int length : new int[] {9, 4}) {
        int[] tokens = TinyModels.causal(length, length).tokens();
        examples.add(new Example(tokens, new int[length], tokens));
      }
      double together = network.pass(TokenBatch.of(examples), PassOptions.training(1)).loss();
      INDArray gradient = KernelArrays.host(kernels, network.weightGradient());
      double swapped =
          network
              .pass(
                  TokenBatch.of(List.of(examples.get(1), examples.get(0))), PassOptions.training(1))
              .loss();
      assertThat(swapped).isCloseTo(together, Offset.offset(1e-6));

      // 8 and 3 labels: the first token of a sequence is none.
      double first =
          network.pass(TokenBatch.of(examples.subList(0, 1)), PassOptions.training(1)).loss();
      INDArray mean = KernelArrays.host(kernels, network.weightGradient()).mul(8 / 11.0);
      double second =
          network.pass(TokenBatch.of(examples.subList(1, 2)), PassOptions.training(1)).loss();
      mean.addi(KernelArrays.host(kernels, network.weightGradient()).mul(3 / 11.0));
      assertThat(first).isNotCloseTo(second, Offset.offset(1e-2));
      assertThat(together).isCloseTo((8 * first + 3 * second) / 11, Offset.offset(1e-6));
      assertThat(mean.sub(gradient).norm2Number().doubleValue())
          .isLessThan(1e-5 * gradient.norm2Number().doubleValue());
    }
  }

  @ParameterizedTest
  @MethodSource("io.guilomo.kernel.KernelsUnderTest#all")
  void replayKeepsTheRecordedExperts(Kernels kernels) {
    List<ModuleExperts> modules = TinyModels.uniform(BACKBONE.config());
    NetworkDefinition definition =
        TinyModels.definition(BACKBONE, Stage.FINE_TUNING, modules, 0, 0);
    try (LoraMoeNetwork network = TinyModels.network(definition, BACKBONE, kernels)) {
      TinyModels.shake(network, 3, 0.2);
      network.pass(BATCH, PassOptions.training(1).with(Routing.RECORD));
      // With routers of zero all logits are equal, and a new choice falls on the first two experts.
      network.parameterNames().stream()
          .filter(name -> name.endsWith(".router"))
          .forEach(name -> network.parameter(name).assign(0));
      network.upload();
      network.pass(BATCH, PassOptions.training(1).with(Routing.REPLAY));
      boolean later = false;
      for (ModuleExperts module : modules) {
        long[] routed = network.routedTokens().get(module.module());
        assertThat(Arrays.stream(routed).sum()).isEqualTo(2L * BATCH.size());
        for (int e = 0; e < 4; e++) {
          assertThat(normOfB(network, module, e) > 0).isEqualTo(routed[e] > 0);
          later |= e > 1 && routed[e] > 0;
        }
      }
      assertThat(later).isTrue();
      network.pass(BATCH, PassOptions.training(1));
      for (ModuleExperts module : modules) {
        assertThat(normOfB(network, module, 0)).isPositive();
        assertThat(normOfB(network, module, 2)).isZero();
        assertThat(normOfB(network, module, 3)).isZero();
      }
      assertThatThrownBy(
              () ->
                  network.pass(
                      TinyModels.causal(1, 3), PassOptions.training(1).with(Routing.REPLAY)))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("Cannot replay the routing of layer 0 q_proj: it was not recorded");
    }
  }

  private static double normOfB(LoraMoeNetwork network, ModuleExperts module, int expert) {
    network.download();
    INDArray gradient = network.gradient(PartNames.prefix(module.module()) + "B");
    return ArrayViews.columns(gradient, 3L * expert, 3).dup().norm2Number().doubleValue();
  }

  private static NetworkDefinition unequal(double loadBalance) {
    return TinyModels.definition(
        BACKBONE,
        Stage.FINE_TUNING,
        TinyModels.unequal(BACKBONE.config(), Stage.FINE_TUNING),
        0.3,
        loadBalance);
  }

  private static NetworkDefinition search(double loadBalance) {
    return TinyModels.definition(
        BACKBONE, Stage.SEARCH, TinyModels.uniform(BACKBONE.config()), 0.3, loadBalance);
  }

  private static LoraMoeNetwork create(NetworkDefinition definition) {
    return TinyModels.network(definition, BACKBONE, KernelsUnderTest.any());
  }

  private static TokenBatch batch(int[] tokens) {
    return batch(tokens, tokens);
  }

  private static TokenBatch batch(int[] tokens, int... labels) {
    return TokenBatch.of(List.of(new Example(tokens, new int[tokens.length], labels)));
  }

  private static float[] values(INDArray array) {
    return array.dup('c').data().asFloat();
  }
}
