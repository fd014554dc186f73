package io.guilomo.network;

import static io.guilomo.network.DifferenceSetting.RECORD;
import static io.guilomo.network.DifferenceSetting.REPLAY;
import static io.guilomo.network.DifferenceSetting.STEP;
import static io.guilomo.network.DifferenceSetting.assertClose;
import static io.guilomo.network.DifferenceSetting.directions;
import static io.guilomo.network.DifferenceSetting.shake;
import static io.guilomo.network.DifferenceSetting.signs;
import static org.assertj.core.api.Assertions.assertThat;

import io.guilomo.config.SearchConfig.Estimator;
import io.guilomo.kernel.ArrayViews;
import io.guilomo.kernel.KernelArrays;
import io.guilomo.kernel.Kernels;
import io.guilomo.kernel.KernelsUnderTest;
import io.guilomo.model.ModuleExperts;
import io.guilomo.model.RoutingMethod;
import io.guilomo.network.PassOptions.Gradient;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.function.DoubleSupplier;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Gradients of the weights and GSVs of whole networks. */
class TestFiniteDifferences {

  /** Logits move further for the same change of the loss. */
  private static final float GSV_STEP = 1e-2f;

  /** A threshold adds up hundreds of features that are shaken to be large. */
  private static final float THRESHOLD_STEP = STEP / 4;

  static Stream<Arguments> settings() {
    return DifferenceSetting.settings();
  }

  static Stream<Arguments> maskedSettings() {
    return DifferenceSetting.maskedSettings();
  }

  @ParameterizedTest
  @MethodSource("settings")
  void weights(DifferenceSetting setting, String kernels) {
    try (LoraMoeNetwork network =
        TinyModels.network(
            setting.definition(), setting.backbone(), KernelsUnderTest.named(kernels))) {
      shake(network);
      network.pass(setting.batch(), RECORD);
      network.pass(setting.batch(), REPLAY);
      DoubleSupplier loss = () -> network.pass(setting.batch(), REPLAY.with(Gradient.NONE)).loss();

      assertThat(check(network, kernels, name -> name.endsWith(".A"), loss))
          .isEqualTo(setting.definition().modules().size());
      check(network, kernels, name -> name.endsWith(".B"), loss);
      check(network, kernels, name -> name.endsWith(".router"), loss);
      if (setting.router().equals(RoutingMethod.SPARSEGEN)) {
        assertThat(check(network, kernels, name -> name.startsWith("thresholds."), loss))
            .isEqualTo(2 * 4);
      }
      if (setting.stage() == Stage.SEARCH) {
        check(network, kernels, name -> name.endsWith(".lambda"), loss);
      }
      if (setting.definition().classes() > 0) {
        assertThat(check(network, kernels, name -> name.startsWith("classifier."), loss))
            .isEqualTo(setting.backbone().config().paths().causal() ? 1 : 2);
      }
    }
  }

  /** Of full masks, and of those that are expectations, from GSVs that are not all alike. */
  @ParameterizedTest
  @MethodSource("maskedSettings")
  void gsvs(DifferenceSetting setting, String name) {
    Kernels kernels = KernelsUnderTest.named(name);
    boolean full = setting.stage() == Stage.MEASURING;
    float step = full ? STEP : GSV_STEP;
    try (LoraMoeNetwork network =
        TinyModels.network(
            setting.definition().with(Estimator.EXPECTED), setting.backbone(), kernels)) {
      shake(network);
      Random random = new Random(9);
      float[] start = new float[(int) network.gsvs().length()];
      for (int i = 0; i < start.length; i++) {
        start[i] = full ? 0 : (float) random.nextGaussian();
      }
      kernels.write(start, network.gsvs());
      network.pass(setting.batch(), RECORD);
      network.pass(setting.batch(), REPLAY);
      float[] gradient = KernelArrays.values(kernels, network.gsvGradient());
      for (boolean experts : new boolean[] {true, false}) {
        boolean[] moved = entries(setting.definition().modules(), experts);
        double squaredError = 0;
        double squared = 0;
        for (int i = 0; i < directions(name); i++) {
          float[] direction = new float[start.length];
          double expected = 0;
          for (int j = 0; j < direction.length; j++) {
            direction[j] = moved[j] ? (random.nextBoolean() ? 1 : -1) : 0;
            expected += direction[j] * gradient[j];
          }
          double actual =
              (loss(kernels, network, setting, along(start, direction, step))
                      - loss(kernels, network, setting, along(start, direction, -step)))
                  / (2 * step);
          squaredError += (actual - expected) * (actual - expected);
          squared += expected * expected;
        }
        assertClose(experts ? "expert GSVs" : "rank GSVs", squaredError, squared);
      }
    }
  }

  /** Which GSV entries belong to vectors of experts, or of ranks. */
  private static boolean[] entries(List<ModuleExperts> modules, boolean experts) {
    List<Boolean> entries = new ArrayList<>();
    for (ModuleExperts module : modules) {
      entries.addAll(Collections.nCopies(module.experts(), experts));
      entries.addAll(Collections.nCopies(module.totalRank(), !experts));
    }
    boolean[] result = new boolean[entries.size()];
    for (int i = 0; i < result.length; i++) {
      result[i] = entries.get(i);
    }
    return result;
  }

  private static double loss(
      Kernels kernels, LoraMoeNetwork network, DifferenceSetting setting, float[] gsvs) {
    kernels.write(gsvs, network.gsvs());
    return network.pass(setting.batch(), REPLAY.with(Gradient.NONE)).loss();
  }

  private static float[] along(float[] start, float[] direction, float step) {
    float[] moved = start.clone();
    for (int i = 0; i < moved.length; i++) {
      moved[i] += step * direction[i];
    }
    return moved;
  }

  /** Compares along directions that move the named parameters alone; returns how many there are. */
  private static int check(
      LoraMoeNetwork network, String kernelsName, Predicate<String> names, DoubleSupplier loss) {
    Kernels kernels = KernelsUnderTest.named(kernelsName);
    List<String> chosen = network.parameterNames().stream().filter(names).toList();
    float step = chosen.get(0).startsWith("thresholds.") ? THRESHOLD_STEP : STEP;
    double squaredError = 0;
    double squared = 0;
    Random random = new Random(8);
    INDArray saved = KernelArrays.host(kernels, network.weights());
    float[] gradient = KernelArrays.values(kernels, network.weightGradient());
    network.download();
    for (int i = 0; i < directions(kernelsName); i++) {
      INDArray flat = Nd4j.zeros(network.host().size());
      double expected = 0;
      for (String name : chosen) {
        INDArray signs = signs(random, network.parameter(name));
        expected += signs.mul(network.gradient(name)).sumNumber().doubleValue();
        place(network, flat, name, signs);
      }
      INDArray direction = ArrayViews.slice(flat, flat.length() - saved.length(), saved.length());
      KernelArrays.set(kernels, network.weights(), saved.add(direction.mul(step)));
      double above = loss.getAsDouble();
      KernelArrays.set(kernels, network.weights(), saved.sub(direction.mul(step)));
      double below = loss.getAsDouble();
      KernelArrays.set(kernels, network.weights(), saved);
      double actual = (above - below) / (2 * step);
      squaredError += (actual - expected) * (actual - expected);
      squared += expected * expected;
    }
    assertThat(KernelArrays.values(kernels, network.weightGradient()))
        .as("forward passes leave the gradient alone")
        .isEqualTo(gradient);
    assertClose(chosen.get(0) + " …", squaredError, squared);
    return chosen.size();
  }

  private static void place(LoraMoeNetwork network, INDArray flat, String name, INDArray values) {
    long offset = network.parameter(name).offset() - network.host().parameters().offset();
    ArrayViews.slice(flat, offset, values.shape()).assign(values);
  }
}
