package io.guilomo.network;

import static org.assertj.core.api.Assertions.assertThat;

import io.guilomo.config.ModelConfig.Pooling;
import io.guilomo.data.TokenBatch;
import io.guilomo.kernel.KernelsUnderTest;
import io.guilomo.model.ExpertForm;
import io.guilomo.model.ModuleExperts;
import io.guilomo.model.RoutingMethod;
import io.guilomo.model.Scaling;
import io.guilomo.model.Sharing;
import io.guilomo.network.PassOptions.Routing;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A network whose gradients are compared with central differences of the loss along random
 * directions, with dropout and a balance loss. The choice of experts is replayed: the loss jumps
 * where it flips.
 */
record DifferenceSetting(
    Backbone backbone,
    Stage stage,
    Pooling pooling,
    TokenBatch batch,
    String router,
    Sharing sharing) {

  static final double LOAD_BALANCE = 0.1;
  static final double DROPOUT = 0.3;
  static final PassOptions RECORD = PassOptions.training(9).with(Routing.RECORD);
  static final PassOptions REPLAY = RECORD.with(Routing.REPLAY);

  /**
   * Each entry of a direction is +1 or −1: large enough a step for 32-bit losses, and small enough
   * for the curvature of Gemma's caps.
   */
  static final float STEP = 5e-4f;

  static final double TOLERANCE = 1e-2;

  /** The portable kernels are slow, and what is differentiated is the same code over all. */
  static int directions(String kernels) {
    return kernels.equals("portable") ? 3 : 6;
  }

  DifferenceSetting(Backbone backbone, Stage stage, Pooling pooling, TokenBatch batch) {
    this(backbone, stage, pooling, batch, RoutingMethod.TOP_K, Sharing.NONE);
  }

  /** The loss of sparsegen's router is not differentiated by all that it depends on. */
  double loadBalance() {
    return router.equals(RoutingMethod.SPARSEGEN) ? 0 : LOAD_BALANCE;
  }

  NetworkDefinition definition() {
    List<ModuleExperts> modules =
        TinyModels.unequal(
            backbone.config(),
            stage,
            new ExpertForm(new RoutingMethod(router, 2), sharing, Scaling.overRank(6)));
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
    return backbone.config().family() + " " + stage + " " + pooling + " " + router + " " + sharing;
  }

  static Stream<Arguments> settings() {
    List<DifferenceSetting> settings = new ArrayList<>();
    TokenBatch classified = TinyModels.classified(4, 6, 3);
    for (Stage stage : Stage.values()) {
      settings.add(
          new DifferenceSetting(
              TinyModels.llama(1), stage, Pooling.MEAN, TinyModels.causal(2, 7, 4)));
      settings.addAll(poolings(TinyModels.bert(3), stage, classified));
    }
    for (Stage stage : List.of(Stage.SEARCH, Stage.FINE_TUNING)) {
      settings.add(llama(stage, RoutingMethod.DENSE, Sharing.NONE));
      settings.add(llama(stage, RoutingMethod.SPARSEGEN, Sharing.NONE));
      settings.add(llama(stage, RoutingMethod.DENSE, Sharing.SHARED_A));
    }
    for (Stage stage : Stage.values()) {
      settings.add(llama(stage, RoutingMethod.TOP_K, Sharing.SHARED_A));
    }
    settings.add(llama(Stage.FINE_TUNING, RoutingMethod.SPARSEGEN, Sharing.SHARED_A));
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
          new DifferenceSetting(
              backbone, Stage.FINE_TUNING, Pooling.LAST, TinyModels.causal(2, 7, 4)));
    }
    return settings.stream()
        .flatMap(
            setting ->
                KernelsUnderTest.names().stream().map(kernels -> Arguments.of(setting, kernels)));
  }

  private static DifferenceSetting llama(Stage stage, String router, Sharing sharing) {
    return new DifferenceSetting(
        TinyModels.llama(1), stage, Pooling.MEAN, TinyModels.causal(2, 7, 4), router, sharing);
  }

  static List<DifferenceSetting> poolings(Backbone backbone, Stage stage, TokenBatch batch) {
    return TinyEncoders.poolings(backbone).stream()
        .map(pooling -> new DifferenceSetting(backbone, stage, pooling, batch))
        .toList();
  }

  static Stream<Arguments> maskedSettings() {
    return settings()
        .filter(arguments -> ((DifferenceSetting) arguments.get()[0]).stage() != Stage.FINE_TUNING);
  }

  /**
   * Moves the hidden features of thresholds away from the kink of their ReLU, and lets the
   * thresholds stay small.
   */
  static void shake(LoraMoeNetwork network) {
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

  static void assertClose(String name, double squaredError, double squared) {
    assertThat(squared).as("derivative along %s", name).isGreaterThan(1e-6);
    assertThat(Math.sqrt(squaredError / squared))
        .as("relative error along %s", name)
        .isLessThan(TOLERANCE);
  }

  static INDArray signs(Random random, INDArray like) {
    float[] values = new float[(int) like.length()];
    for (int i = 0; i < values.length; i++) {
      values[i] = random.nextBoolean() ? 1 : -1;
    }
    return Nd4j.createFromArray(values).reshape('c', like.shape());
  }
}
