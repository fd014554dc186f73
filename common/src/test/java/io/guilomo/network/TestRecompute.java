package io.guilomo.network;

import static org.assertj.core.api.Assertions.assertThat;

import io.guilomo.config.Recompute;
import io.guilomo.config.SearchConfig.OuterGradient;
import io.guilomo.data.TokenBatch;
import io.guilomo.kernel.AdamW;
import io.guilomo.kernel.Kernels;
import io.guilomo.kernel.KernelsUnderTest;
import io.guilomo.model.ExpertForm;
import io.guilomo.model.RoutingMethod;
import io.guilomo.model.Scaling;
import io.guilomo.model.Sharing;
import io.guilomo.network.PassOptions.Gradient;
import io.guilomo.network.PassOptions.Routing;
import io.guilomo.search.BilevelStep;
import io.guilomo.search.SearchSettings;
import io.guilomo.training.LearningRate;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Blocks that are computed again give the bits of blocks that keep everything. */
class TestRecompute {

  private static final String SIZES =
      """
      "hidden_size":16,"intermediate_size":24,"num_hidden_layers":4,"num_attention_heads":4,
      "num_key_value_heads":2,"head_dim":8,"vocab_size":11,"max_position_embeddings":32
      """;

  /** Of four layers each. */
  private static final Map<String, Backbone> MODELS = new LinkedHashMap<>();

  private static final Set<String> FEW = Set.of("llama", "bert");

  static {
    decoder("llama", "");
    decoder("qwen3", "");
    decoder(
        "gemma2",
        ",\"query_pre_attn_scalar\":5,\"sliding_window\":3,\"attn_logit_softcapping\":2.0,"
            + "\"final_logit_softcapping\":1.5,\"hidden_activation\":\"gelu_pytorch_tanh\"");
    decoder(
        "gemma3_text",
        ",\"query_pre_attn_scalar\":5,\"sliding_window\":3,\"sliding_window_pattern\":2,"
            + "\"hidden_activation\":\"gelu_pytorch_tanh\"");
    decoder("phi3", ",\"partial_rotary_factor\":0.5,\"pad_token_id\":0");
    MODELS.put(
        "bert",
        TinyEncoders.of(
            """
            {"model_type":"bert","hidden_size":16,"intermediate_size":24,"num_hidden_layers":4,
             "num_attention_heads":4,"vocab_size":11,"max_position_embeddings":32,"type_vocab_size":2}
            """));
    MODELS.put(
        "modernbert",
        TinyEncoders.of(
            """
            {"model_type":"modernbert","hidden_size":16,"intermediate_size":12,"num_hidden_layers":4,
             "num_attention_heads":4,"vocab_size":11,"max_position_embeddings":32,"local_attention":4,
             "mlp_bias":true}
            """));
  }

  private static void decoder(String type, String options) {
    MODELS.put(type, TinyEncoders.of("{\"model_type\":\"" + type + "\"," + SIZES + options + "}"));
  }

  /** All models with the last kernels, and those of either kind of residual with the others. */
  private static Stream<Arguments> networks() {
    List<String> kernels = KernelsUnderTest.names();
    return kernels.stream()
        .flatMap(
            name ->
                MODELS.keySet().stream()
                    .filter(
                        model ->
                            name.equals(kernels.get(kernels.size() - 1)) || FEW.contains(model))
                    .flatMap(
                        model ->
                            Stream.of(Stage.values())
                                .map(stage -> Arguments.of(name, model, stage))));
  }

  private static LoraMoeNetwork network(
      Backbone backbone, Stage stage, Kernels kernels, Recompute recompute) {
    NetworkDefinition definition =
        TinyModels.definition(
            backbone,
            stage,
            TinyModels.unequal(
                backbone.config(),
                stage,
                new ExpertForm(
                    new RoutingMethod(router(backbone), 2),
                    backbone == MODELS.get("gemma2") ? Sharing.SHARED_A : Sharing.NONE,
                    Scaling.overRank(6))),
            0.2,
            0.1);
    LoraMoeNetwork network = TinyModels.network(definition, backbone, kernels, recompute);
    TinyModels.shake(network, 3, 0.1);
    return network;
  }

  /** Each router on one model, as a shared {@code A}. */
  private static String router(Backbone backbone) {
    if (backbone == MODELS.get("qwen3")) {
      return RoutingMethod.SPARSEGEN;
    }
    return backbone == MODELS.get("phi3") ? RoutingMethod.DENSE : RoutingMethod.TOP_K;
  }

  private static TokenBatch batch(Backbone backbone, int sequences, int length) {
    int[] lengths = new int[sequences];
    Arrays.fill(lengths, length);
    // Of other lengths as well.
    lengths[0] -= 2;
    return TinyModels.classifies(backbone)
        ? TinyModels.classified(4, lengths)
        : TinyModels.causal(4, lengths);
  }

  @ParameterizedTest
  @MethodSource("networks")
  void passes(String kernelsName, String model, Stage stage) {
    Kernels kernels = KernelsUnderTest.named(kernelsName);
    Backbone backbone = MODELS.get(model);
    PassOptions training = PassOptions.training(9);
    List<PassOptions> passes =
        stage == Stage.SEARCH
            ? List.of(
                training.with(Routing.RECORD),
                training.with(Gradient.GSVS).with(Routing.REPLAY),
                training.with(Gradient.GSVS),
                training)
            : List.of(training.with(Routing.RECORD), PassOptions.evaluation(), training);
    try (LoraMoeNetwork saving = network(backbone, stage, kernels, Recompute.NONE);
        LoraMoeNetwork again = network(backbone, stage, kernels, Recompute.BLOCKS)) {
      // One replica, two where the kernels split batches, and one again.
      int many = kernels.splitsBatches() ? 14 : 4;
      for (TokenBatch batch :
          List.of(batch(backbone, 3, 7), batch(backbone, many, 30), batch(backbone, 5, 9))) {
        for (int i = 0; i < passes.size(); i++) {
          PassOptions options = passes.get(i);
          // As the ± passes, each with other weights.
          TinyModels.shake(saving, i, 0.01);
          TinyModels.shake(again, i, 0.01);
          assertThat(again.pass(batch, options)).isEqualTo(saving.pass(batch, options));
          assertSameGradients(again, saving, options.gradient());
        }
      }
      assertThat(again.routedTokens()).containsExactlyEntriesOf(saving.routedTokens());
      assertThat(again.routerEntropy()).isEqualTo(saving.routerEntropy());
    }
  }

  private static void assertSameGradients(
      LoraMoeNetwork actual, LoraMoeNetwork expected, Gradient gradient) {
    actual.download();
    expected.download();
    float[] own = actual.host().gradient().toFloatVector();
    float[] others = expected.host().gradient().toFloatVector();
    int gsvs = (int) (actual.host().size() - actual.weights().length());
    int defined =
        switch (gradient) {
          case ALL -> own.length;
          case GSVS -> gsvs;
          case NONE -> 0;
        };
    assertThat(Arrays.copyOf(own, defined)).isEqualTo(Arrays.copyOf(others, defined));
  }

  @ParameterizedTest
  @EnumSource(OuterGradient.class)
  void searchSteps(OuterGradient mode) {
    Kernels kernels = KernelsUnderTest.any();
    Backbone backbone = MODELS.get("llama");
    SearchSettings settings =
        new SearchSettings(
            new AdamW(0.9, 0.999, 1e-8, 0),
            LearningRate.constant(1e-2),
            new AdamW(0.5, 0.999, 1e-8, 0),
            // So large that argmaxes move.
            0.2,
            mode,
            true,
            1,
            1);
    try (LoraMoeNetwork saving = network(backbone, Stage.SEARCH, kernels, Recompute.NONE);
        LoraMoeNetwork again = network(backbone, Stage.SEARCH, kernels, Recompute.BLOCKS)) {
      BilevelStep expected = new BilevelStep(saving, kernels, settings);
      BilevelStep actual = new BilevelStep(again, kernels, settings);
      for (int step = 0; step < 3; step++) {
        TokenBatch train = batch(backbone, 14, 30);
        TokenBatch validation = batch(backbone, 6, 20);
        assertThat(actual.run(step, train, validation))
            .isEqualTo(expected.run(step, train, validation));
      }
      again.download();
      saving.download();
      assertThat(again.host().parameters().toFloatVector())
          .isEqualTo(saving.host().parameters().toFloatVector());
      assertThat(again.host().moments().toFloatVector())
          .isEqualTo(saving.host().moments().toFloatVector());
    }
  }
}
