package io.guilomo.network;

import static org.assertj.core.api.Assertions.assertThat;

import io.guilomo.config.ModelConfig.Pooling;
import io.guilomo.config.Recompute;
import io.guilomo.config.SearchConfig.Estimator;
import io.guilomo.data.TokenBatch;
import io.guilomo.family.FrozenCopies;
import io.guilomo.kernel.ArrayViews;
import io.guilomo.kernel.KernelArrays;
import io.guilomo.kernel.Kernels;
import io.guilomo.kernel.KernelsUnderTest;
import io.guilomo.model.ModuleExperts;
import io.guilomo.model.RoutingMethod;
import io.guilomo.network.PassOptions.Gradient;
import io.guilomo.network.PassOptions.Routing;
import io.guilomo.network.moe.Selection;
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

/**
 * Gradients of whole networks against central differences of the loss along random directions, with
 * dropout and a balance loss. The choice of experts is replayed: the loss jumps where it flips.
 */
class TestFiniteDifferences {

  private static final double LOAD_BALANCE = 0.1;
  private static final double DROPOUT = 0.3;
  private static final PassOptions RECORD = PassOptions.training(9).with(Routing.RECORD);
  private static final PassOptions REPLAY = RECORD.with(Routing.REPLAY);

  /**
   * Each entry of a direction is +1 or −1: large enough a step for 32-bit losses, and small enough
   * for the curvature of Gemma's caps.
   */
  private static final float STEP = 5e-4f;

  /** Logits move further for the same change of the loss. */
  private static final float GSV_STEP = 1e-2f;

  /** A threshold adds up hundreds of features that are shaken to be large. */
  private static final float THRESHOLD_STEP = STEP / 4;

  private static final double TOLERANCE = 1e-2;

  /** The portable kernels are slow, and what is differentiated is the same code over all. */
  private static int directions(String kernels) {
    return kernels.equals("portable") ? 3 : 6;
  }

  private record Setting(
      Backbone backbone, Stage stage, Pooling pooling, TokenBatch batch, String router) {

    Setting(Backbone backbone, Stage stage, Pooling pooling, TokenBatch batch) {
      this(backbone, stage, pooling, batch, RoutingMethod.TOP_K);
    }

    /** The loss of sparsegen's router is not differentiated by all that it depends on. */
    double loadBalance() {
      return router.equals(RoutingMethod.SPARSEGEN) ? 0 : LOAD_BALANCE;
    }

    NetworkDefinition definition() {
      List<ModuleExperts> modules =
          TinyModels.unequal(backbone.config(), stage, new RoutingMethod(router, 2));
      NetworkDefinition tiny =
          TinyModels.definition(backbone, stage, modules, DROPOUT, loadBalance());
      return new NetworkDefinition(
          tiny.backbone(),
          tiny.config(),
          stage,
          modules,
          DROPOUT,
          loadBalance(),
          batch.labels()[1] == TokenBatch.IGNORED ? 3 : 0,
          pooling,
          tiny.seed());
    }

    @Override
    public String toString() {
      return backbone.config().family() + " " + stage + " " + pooling + " " + router;
    }
  }

  static Stream<Arguments> settings() {
    List<Setting> settings = new ArrayList<>();
    TokenBatch classified = TinyModels.classified(4, 6, 3);
    for (Stage stage : Stage.values()) {
      settings.add(
          new Setting(TinyModels.llama(1), stage, Pooling.MEAN, TinyModels.causal(2, 7, 4)));
      settings.addAll(poolings(TinyModels.bert(3), stage, classified));
    }
    for (String router : List.of(RoutingMethod.DENSE, RoutingMethod.SPARSEGEN)) {
      for (Stage stage : List.of(Stage.SEARCH, Stage.FINE_TUNING)) {
        settings.add(
            new Setting(
                TinyModels.llama(1), stage, Pooling.MEAN, TinyModels.causal(2, 7, 4), router));
      }
    }
    // Blocks know nothing of the stage.
    for (Backbone backbone :
        List.of(
            TinyEncoders.roberta(),
            TinyEncoders.distilBert(),
            TinyEncoders.modernBert(),
            TinyEncoders.llama())) {
      settings.addAll(poolings(backbone, Stage.FINE_TUNING, classified));
    }
    for (Backbone backbone :
        List.of(TinyDecoders.options(1), TinyDecoders.gemma(1), TinyDecoders.phi(1))) {
      settings.add(
          new Setting(backbone, Stage.FINE_TUNING, Pooling.LAST, TinyModels.causal(2, 7, 4)));
    }
    return settings.stream()
        .flatMap(
            setting ->
                KernelsUnderTest.names().stream().map(kernels -> Arguments.of(setting, kernels)));
  }

  private static List<Setting> poolings(Backbone backbone, Stage stage, TokenBatch batch) {
    return TinyEncoders.poolings(backbone).stream()
        .map(pooling -> new Setting(backbone, stage, pooling, batch))
        .toList();
  }

  @ParameterizedTest
  @MethodSource("settings")
  void weights(Setting setting, String kernels) {
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

  /**
   * Moves the hidden features of thresholds away from the kink of their ReLU, and lets the
   * thresholds stay small.
   */
  private static void shake(LoraMoeNetwork network) {
    TinyModels.shake(network, 6, 0.2);
    network.download();
    for (String name : network.parameterNames()) {
      if (name.endsWith("hidden.bias")) {
        INDArray bias = network.parameter(name);
        for (long i = 0; i < bias.length(); i++) {
          bias.putScalar(i, i % 2 == 0 ? 4 : -4);
        }
      } else if (name.endsWith("output.weight")) {
        network.parameter(name).muli(0.05);
      }
    }
    network.upload();
  }

  static Stream<Arguments> maskedSettings() {
    return settings()
        .filter(arguments -> ((Setting) arguments.get()[0]).stage() != Stage.FINE_TUNING);
  }

  @ParameterizedTest
  @MethodSource("maskedSettings")
  void masks(Setting setting, String kernels) {
    try (LoraMoeNetwork network =
        TinyModels.network(
            setting.definition(), setting.backbone(), KernelsUnderTest.named(kernels))) {
      shake(network);
      Assembly assembly = new Assembly(setting, network, KernelsUnderTest.named(kernels));
      assertThat(assembly.loss(RECORD, null, 0))
          .isEqualTo(network.pass(setting.batch(), RECORD).loss());

      List<INDArray> gradients = assembly.maskGradients();
      for (int kind = 0; kind < 2; kind++) {
        double squaredError = 0;
        double squared = 0;
        Random random = new Random(7);
        for (int i = 0; i < directions(kernels); i++) {
          List<INDArray> direction = new ArrayList<>();
          double expected = 0;
          for (int j = 0; j < gradients.size(); j++) {
            INDArray signs = signs(random, gradients.get(j));
            direction.add(j % 2 == kind ? signs : signs.muli(0));
            expected += direction.get(j).mul(gradients.get(j)).sumNumber().doubleValue();
          }
          double actual =
              (assembly.loss(REPLAY, direction, STEP) - assembly.loss(REPLAY, direction, -STEP))
                  / (2 * STEP);
          squaredError += (actual - expected) * (actual - expected);
          squared += expected * expected;
        }
        assertClose(kind == 0 ? "expert masks" : "rank masks", squaredError, squared);
      }
    }
  }

  /** Of full masks, and of those that are expectations, from GSVs that are not all alike. */
  @ParameterizedTest
  @MethodSource("maskedSettings")
  void gsvs(Setting setting, String name) {
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
      Kernels kernels, LoraMoeNetwork network, Setting setting, float[] gsvs) {
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

  private static void assertClose(String name, double squaredError, double squared) {
    assertThat(squared).as("derivative along %s", name).isGreaterThan(1e-6);
    assertThat(Math.sqrt(squaredError / squared))
        .as("relative error along %s", name)
        .isLessThan(TOLERANCE);
  }

  private static INDArray signs(Random random, INDArray like) {
    float[] values = new float[(int) like.length()];
    for (int i = 0; i < values.length; i++) {
      values[i] = random.nextBoolean() ? 1 : -1;
    }
    return Nd4j.createFromArray(values).reshape('c', like.shape());
  }

  /**
   * The parts of a network without its graph, so that masks can be moved between the selection and
   * the blocks.
   */
  private static final class Assembly {

    private final Kernels kernels;
    private final PassContext context;
    private final TokenBatch batch;
    private final Selection selection;
    private final List<Part> parts = new ArrayList<>();
    private final Head head;
    private final List<Selection.Masks> masks;
    private final double loadBalance;

    Assembly(Setting setting, LoraMoeNetwork network, Kernels kernels) {
      NetworkDefinition definition = setting.definition();
      batch = setting.batch();
      loadBalance = setting.loadBalance();
      this.kernels = kernels;
      context =
          new PassContext(
              FrozenCopies.of(setting.backbone(), kernels),
              kernels,
              new Buffers(kernels),
              Recompute.NONE);
      PartSpec.all(definition).forEach(spec -> parts.add(spec.build()));
      INDArray gradient = KernelArrays.zeros(kernels, network.host().size());
      network.download();
      INDArray parameters = KernelArrays.array(kernels, network.host().parameters().ravel());
      long offset = 0;
      for (Part part : parts) {
        long size = part.parameters().size();
        if (size > 0) {
          part.attach(context, ArrayViews.slice(parameters, offset, size));
          part.attachGradient(ArrayViews.slice(gradient, offset, size));
        } else {
          part.attach(context, null);
        }
        offset += size;
      }
      selection = (Selection) parts.get(0);
      head = (Head) parts.get(parts.size() - 1);
      masks =
          definition.modules().stream().map(module -> selection.masks(module.module())).toList();
    }

    /**
     * The loss with the masks moved along {@code direction}: experts and ranks of each module in
     * turn.
     */
    double loss(PassOptions options, List<INDArray> direction, float step) {
      head.measure(states(options.with(Gradient.NONE), direction, step));
      context.measurements().read();
      BatchLoss loss = new BatchLoss(batch.size(), loadBalance, null);
      Measurements.evaluate(List.of(context.measurements()), loss);
      return head.loss() + loadBalance * loss.value();
    }

    List<INDArray> maskGradients() {
      INDArray d = head.backward(states(REPLAY, null, 0));
      context.measurements().read();
      BatchLoss loss = new BatchLoss(batch.size(), loadBalance, null);
      context.measurements().write(Measurements.evaluate(List.of(context.measurements()), loss));
      for (int i = parts.size() - 2; i > 0; i--) {
        d = parts.get(i).backward(d);
      }
      List<INDArray> gradients = new ArrayList<>();
      for (Selection.Masks mask : masks) {
        gradients.add(KernelArrays.host(kernels, mask.expertsGradient()));
        gradients.add(KernelArrays.host(kernels, mask.ranksGradient()));
      }
      return gradients;
    }

    private void move(INDArray mask, INDArray by) {
      KernelArrays.set(kernels, mask, KernelArrays.host(kernels, mask).add(by));
    }

    private INDArray states(PassOptions options, List<INDArray> direction, float step) {
      context.begin(batch, options);
      INDArray x = selection.forward(null);
      for (int i = 0; direction != null && i < masks.size(); i++) {
        move(masks.get(i).experts(), direction.get(2 * i).mul(step));
        move(masks.get(i).ranks(), direction.get(2 * i + 1).mul(step));
      }
      for (Part part : parts.subList(1, parts.size() - 1)) {
        x = part.forward(x);
      }
      return x;
    }
  }
}
