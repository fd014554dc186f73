package io.guilomo.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.guilomo.config.Recompute;
import io.guilomo.data.Example;
import io.guilomo.data.TokenBatch;
import io.guilomo.kernel.ArrayViews;
import io.guilomo.kernel.KernelArrays;
import io.guilomo.kernel.Kernels;
import io.guilomo.kernel.KernelsUnderTest;
import io.guilomo.kernel.StraightThrough;
import io.guilomo.model.ExpertForm;
import io.guilomo.model.LinearModule;
import io.guilomo.model.ModuleExperts;
import io.guilomo.model.RoutingMethod;
import io.guilomo.model.Scaling;
import io.guilomo.model.Sharing;
import io.guilomo.network.PassOptions.Gradient;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Networks whose experts share their {@code A}, beside others that compute the same. */
class TestSharedA {

  private static final Backbone BACKBONE = TinyModels.llama(1);
  private static final TokenBatch BATCH = TinyModels.causal(2, 7, 4, 6);
  private static final PassOptions TRAINING = PassOptions.training(9);

  private final Kernels kernels = KernelsUnderTest.any();

  private static ExpertForm form(String router, Sharing sharing) {
    return new ExpertForm(new RoutingMethod(router, 2), sharing, Scaling.overRank(6));
  }

  private LoraMoeNetwork network(Stage stage, List<ModuleExperts> modules, double dropout) {
    return TinyModels.network(
        TinyModels.definition(BACKBONE, stage, modules, dropout, 0.1), BACKBONE, kernels);
  }

  private static List<ModuleExperts> unequal(Stage stage, String router, Sharing sharing) {
    return TinyModels.unequal(BACKBONE.config(), stage, form(router, sharing));
  }

  private static List<ModuleExperts> single(Sharing sharing) {
    return BACKBONE.config().linearModules().stream()
        .map(module -> ModuleExperts.uniform(module, 1, 3, form(RoutingMethod.TOP_K, sharing)))
        .toList();
  }

  /** Bit for bit; with dropout, where it is not on. */
  @ParameterizedTest
  @EnumSource
  void ofOneExpertItIsItsOwn(Stage stage) {
    try (LoraMoeNetwork shared = network(stage, single(Sharing.SHARED_A), 0);
        LoraMoeNetwork own = network(stage, single(Sharing.NONE), 0);
        LoraMoeNetwork dropping = network(stage, single(Sharing.SHARED_A), 0.5)) {
      assertThat(values(shared)).as("the start").isEqualTo(values(own));
      for (LoraMoeNetwork each : List.of(shared, own, dropping)) {
        TinyModels.shake(each, 3, 0.1);
      }
      assertThat(shared.pass(BATCH, TRAINING)).isEqualTo(own.pass(BATCH, TRAINING));
      assertThat(KernelArrays.values(kernels, shared.weightGradient()))
          .isEqualTo(KernelArrays.values(kernels, own.weightGradient()));
      assertThat(dropping.logitRows(BATCH)).isDeepEqualTo(own.logitRows(BATCH));
      assertThat(dropping.pass(BATCH, TRAINING).loss())
          .isNotEqualTo(own.pass(BATCH, TRAINING).loss());
    }
  }

  private static float[] values(LoraMoeNetwork network) {
    network.download();
    return network.host().parameters().toFloatVector();
  }

  static Stream<String> routers() {
    return RoutingMethod.NAMES.stream();
  }

  /** The rows have the sum of the gradients of their copies. */
  @ParameterizedTest
  @MethodSource("routers")
  void anExpertUsesTheFirstRows(String router) {
    for (Stage stage : Stage.values()) {
      List<ModuleExperts> modules = unequal(stage, router, Sharing.SHARED_A);
      try (LoraMoeNetwork shared = network(stage, modules, 0);
          LoraMoeNetwork copies = network(stage, unequal(stage, router, Sharing.NONE), 0)) {
        TinyModels.shake(shared, 3, 0.1);
        shared.download();
        copies.download();
        for (String name : copies.parameterNames()) {
          if (!name.endsWith(".A")) {
            copies.parameter(name).assign(shared.parameter(name));
          }
        }
        for (ModuleExperts module : modules) {
          INDArray a = shared.parameter(NamedParameters.name(module.module(), "A"));
          assertThat(a.size(0)).isEqualTo(3);
          INDArray stacked = copies.parameter(NamedParameters.name(module.module(), "A"));
          for (int e = 0; e < module.experts(); e++) {
            int rank = module.ranks().get(e);
            ArrayViews.rows(stacked, module.firstColumns()[e], rank)
                .assign(ArrayViews.rows(a, 0, rank));
          }
        }
        copies.upload();
        assertThat(shared.pass(BATCH, TRAINING).loss())
            .isCloseTo(copies.pass(BATCH, TRAINING).loss(), within(1e-5));
        shared.download();
        copies.download();
        for (String name : copies.parameterNames()) {
          if (!name.endsWith(".A")) {
            assertClose(name, shared.gradient(name), copies.gradient(name));
          }
        }
        for (ModuleExperts module : modules) {
          String name = NamedParameters.name(module.module(), "A");
          INDArray sum = shared.gradient(name).like();
          for (int e = 0; e < module.experts(); e++) {
            int rank = module.ranks().get(e);
            ArrayViews.rows(sum, 0, rank)
                .addi(ArrayViews.rows(copies.gradient(name), module.firstColumns()[e], rank));
          }
          assertClose(name, shared.gradient(name), sum);
        }
      }
    }
  }

  private static void assertClose(String name, INDArray actual, INDArray expected) {
    double size = expected.norm2Number().doubleValue();
    assertThat(actual.sub(expected).norm2Number().doubleValue())
        .as(name)
        .isLessThanOrEqualTo(1e-4 * size + 1e-7);
  }

  /**
   * Hard masks that keep everything are those around which the measuring stage differentiates, so
   * that what goes straight through are its gradients.
   */
  @Test
  void whatGoesStraightThroughAreTheGradientsOfTheMasks() {
    List<ModuleExperts> modules = unequal(Stage.SEARCH, RoutingMethod.TOP_K, Sharing.SHARED_A);
    try (LoraMoeNetwork searching = network(Stage.SEARCH, modules, 0.3);
        LoraMoeNetwork measuring = network(Stage.MEASURING, modules, 0.3)) {
      TinyModels.shake(searching, 3, 0.1);
      searching.download();
      measuring.download();
      for (String name : searching.parameterNames()) {
        if (name.endsWith(".lambda")) {
          searching.parameter(name).assign(1);
        } else if (measuring.parameterNames().contains(name)) {
          measuring.parameter(name).assign(searching.parameter(name));
        }
      }
      searching.upload();
      measuring.upload();
      List<Integer> starts = new ArrayList<>(List.of(0));
      List<Integer> kinds = new ArrayList<>();
      for (ModuleExperts module : modules) {
        starts.add(starts.get(starts.size() - 1) + module.experts());
        kinds.add(StraightThrough.EXPERTS);
        for (int rank : module.ranks()) {
          starts.add(starts.get(starts.size() - 1) + rank);
          kinds.add(StraightThrough.RANKS);
        }
      }
      float[] gsvs = new float[(int) searching.gsvs().length()];
      for (int i = 0; i < gsvs.length; i++) {
        gsvs[i] = starts.contains(i + 1) ? 1 : (i % 5) / 10f;
      }
      kernels.write(gsvs, searching.gsvs());
      kernels.write(new float[gsvs.length], measuring.gsvs());
      assertThat(searching.pass(BATCH, TRAINING).loss())
          .isCloseTo(measuring.pass(BATCH, TRAINING).loss(), within(1e-6));
      float[] expected =
          StraightThrough.gradients(
              starts.stream().mapToInt(Integer::intValue).toArray(),
              kinds.stream().mapToInt(Integer::intValue).toArray(),
              gsvs,
              KernelArrays.values(kernels, measuring.gsvGradient()));
      float[] actual = KernelArrays.values(kernels, searching.gsvGradient());
      double largest = 0;
      for (float value : expected) {
        largest = Math.max(largest, Math.abs(value));
      }
      assertThat(largest).isPositive();
      assertThat(actual).containsExactly(expected, within((float) (1e-4 * largest)));
    }
  }

  /** Dropout is on {@code A x}: of one row, a token has all or nothing. */
  @Test
  void dropoutIsOnWhatAMakes() {
    LinearModule last = BACKBONE.config().linearModules().get(13);
    assertThat(last.toString()).isEqualTo("layer 1 down_proj");
    ExpertForm form = form(RoutingMethod.TOP_K, Sharing.SHARED_A);
    List<ModuleExperts> modules = List.of(ModuleExperts.uniform(last, 2, 1, form));
    int[] tokens = {4, 7, 1};
    int[] labels = {TokenBatch.IGNORED, TokenBatch.IGNORED, 3};
    TokenBatch batch = TokenBatch.of(List.of(new Example(tokens, new int[3], labels)));
    PassOptions forward = TRAINING.with(Gradient.NONE).withoutBalance();
    try (LoraMoeNetwork network = network(Stage.FINE_TUNING, modules, 0.5);
        LoraMoeNetwork twice = network(Stage.FINE_TUNING, modules, 0);
        LoraMoeNetwork none = network(Stage.FINE_TUNING, modules, 0)) {
      TinyModels.shake(network, 3, 0.5);
      for (Map.Entry<LoraMoeNetwork, Integer> each : Map.of(twice, 2, none, 0).entrySet()) {
        each.getKey().download();
        each.getKey().host().parameters().assign(network.host().parameters());
        String b = NamedParameters.name(last, "B");
        each.getKey().parameter(b).muli(each.getValue());
        each.getKey().upload();
      }
      double all = twice.pass(batch, forward).loss();
      double nothing = none.pass(batch, forward).loss();
      assertThat(all).isNotCloseTo(nothing, within(1e-3));
      TreeSet<Boolean> seen = new TreeSet<>();
      for (int seed = 0; seed < 20; seed++) {
        double loss =
            network
                .pass(batch, PassOptions.training(seed).with(Gradient.NONE).withoutBalance())
                .loss();
        boolean kept = Math.abs(loss - all) < Math.abs(loss - nothing);
        assertThat(loss).isCloseTo(kept ? all : nothing, within(1e-5));
        seen.add(kept);
      }
      assertThat(seen).containsExactly(false, true);
    }
  }

  @Test
  void itHasFewerParametersByFormula() {
    LinearModule module = new LinearModule(0, "q_proj", 10, 4);
    assertThat(Sharing.SHARED_A.parameters(module, List.of(3, 1, 2)))
        .isEqualTo(3 * 10 + 6 * 4 + 3 * 10);
    assertThat(Sharing.NONE.parameters(module, List.of(3, 1, 2))).isEqualTo(6 * (10 + 4) + 3 * 10);
    for (Sharing sharing : Sharing.values()) {
      List<ModuleExperts> modules = unequal(Stage.FINE_TUNING, RoutingMethod.TOP_K, sharing);
      NetworkDefinition definition =
          TinyModels.definition(BACKBONE, Stage.FINE_TUNING, modules, 0, 0);
      assertThat(ParameterCount.of(definition).weights())
          .isEqualTo(
              modules.stream()
                  .mapToLong(each -> sharing.parameters(each.module(), each.ranks()))
                  .sum());
    }
  }

  /** Activations of the experts are kept once a module. */
  @Test
  void itKeepsLess() {
    long[] bytes = new long[2];
    for (Sharing sharing : Sharing.values()) {
      List<ModuleExperts> modules =
          BACKBONE.config().linearModules().stream()
              .map(module -> ModuleExperts.uniform(module, 8, 8, form("top-k", sharing)))
              .toList();
      NetworkDefinition definition =
          TinyModels.definition(BACKBONE, Stage.FINE_TUNING, modules, 0.1, 0);
      bytes[sharing.ordinal()] = new WorkingArrays(definition, Recompute.NONE, 4, 30).bytes();
    }
    assertThat(bytes[1]).as(Arrays.toString(bytes)).isLessThan(bytes[0]);
  }
}
