package io.guilomo.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.data.TokenBatch;
import io.guilomo.kernel.CheckedKernels;
import io.guilomo.kernel.ComputeThreads;
import io.guilomo.kernel.KernelSelection;
import io.guilomo.kernel.Kernels;
import io.guilomo.model.ExpertForm;
import io.guilomo.model.RoutingMethod;
import io.guilomo.model.Scaling;
import io.guilomo.model.Sharing;
import io.guilomo.network.PassOptions.Gradient;
import io.guilomo.network.PassOptions.Routing;
import java.util.stream.Stream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A batch that two replicas share is the batch that one runs. */
class TestReplicas {

  private static final Kernels SPLITTING = KernelSelection.named("vector");

  /** The same for whole batches. */
  private static final Kernels WHOLE =
      new CheckedKernels(((CheckedKernels) SPLITTING).operations()) {
        @Override
        public boolean splitsBatches() {
          return false;
        }
      };

  private static final PassOptions RECORD = PassOptions.training(9).with(Routing.RECORD);

  /** 15 sequences, 8 of them for the first replica. */
  private static final int[] LENGTHS = {32, 25, 32, 28, 31, 32, 24, 30, 27, 32, 26, 32, 29, 23, 31};

  @AfterEach
  void reset() {
    ComputeThreads.limit(Runtime.getRuntime().availableProcessors());
  }

  private static ExpertForm form(String router, Sharing sharing) {
    return new ExpertForm(new RoutingMethod(router, 2), sharing, Scaling.overRank(6));
  }

  private static Stream<Arguments> networks() {
    Stream<Arguments> routed =
        Stream.of(
                form(RoutingMethod.DENSE, Sharing.NONE),
                form(RoutingMethod.SPARSEGEN, Sharing.NONE),
                form(RoutingMethod.TOP_K, Sharing.SHARED_A))
            .map(form -> Arguments.of(Named.of("llama", TinyModels.llama(1)), Stage.SEARCH, form));
    return Stream.concat(
        Stream.of(TinyModels.llama(1), TinyModels.bert(1))
            .flatMap(
                backbone ->
                    Stream.of(Stage.values())
                        .map(
                            stage ->
                                Arguments.of(
                                    Named.of(backbone.getClass().getSimpleName(), backbone),
                                    stage,
                                    form(RoutingMethod.TOP_K, Sharing.NONE)))),
        routed);
  }

  private static LoraMoeNetwork network(
      Backbone backbone, Stage stage, ExpertForm form, Kernels kernels) {
    NetworkDefinition definition =
        TinyModels.definition(
            backbone, stage, TinyModels.unequal(backbone.config(), stage, form), 0.2, 0.1);
    LoraMoeNetwork network = LoraMoeNetwork.create(definition, backbone, kernels);
    TinyModels.shake(network, 3, 0.1);
    return network;
  }

  private static TokenBatch batch(Backbone backbone, int... lengths) {
    return TinyModels.classifies(backbone)
        ? TinyModels.classified(4, lengths)
        : TinyModels.causal(4, lengths);
  }

  @ParameterizedTest
  @MethodSource("networks")
  void halvesAddUpToTheWhole(Backbone backbone, Stage stage, ExpertForm form) {
    TokenBatch batch = batch(backbone, LENGTHS);
    assertThat(
            Replicas.sequencesOfFirst(SPLITTING.splitsBatches(), batch.sequences(), batch.size()))
        .isEqualTo(8);
    try (LoraMoeNetwork split = network(backbone, stage, form, SPLITTING);
        LoraMoeNetwork whole = network(backbone, stage, form, WHOLE)) {
      assertSame(split.pass(batch, RECORD), whole.pass(batch, RECORD));
      assertClose(split.weightGradient(), whole.weightGradient());
      assertThat(split.routedTokens()).containsExactlyEntriesOf(whole.routedTokens());
      assertThat(split.routerEntropy()).hasSameSizeAs(whole.routerEntropy());
      whole
          .routerEntropy()
          .forEach(
              (module, entropy) ->
                  assertThat(split.routerEntropy().get(module))
                      .as("entropy of %s", module)
                      .isCloseTo(entropy, Offset.offset(1e-5)));
      if (stage == Stage.SEARCH) {
        assertClose(split.gsvGradient(), whole.gsvGradient());
        PassOptions replay = RECORD.with(Routing.REPLAY).with(Gradient.GSVS);
        TinyModels.shake(split, 5, 0.05);
        TinyModels.shake(whole, 5, 0.05);
        assertSame(split.pass(batch, replay), whole.pass(batch, replay));
        assertClose(split.gsvGradient(), whole.gsvGradient());
      }
      PassOptions evaluation = PassOptions.evaluation();
      assertSame(split.pass(batch, evaluation), whole.pass(batch, evaluation));

      // One replica again: nothing of the other is left.
      TokenBatch small = batch(backbone, 20, 30);
      assertThat(split.pass(small, RECORD)).isEqualTo(whole.pass(small, RECORD));
      assertThat(split.weightGradient()).isEqualTo(whole.weightGradient());
      assertThat(split.routerEntropy()).isEqualTo(whole.routerEntropy());
    }
  }

  private static void assertSame(PassResult actual, PassResult expected) {
    assertThat(actual.loss()).isCloseTo(expected.loss(), Offset.offset(2e-6));
    assertThat(actual.taskLoss()).isCloseTo(expected.taskLoss(), Offset.offset(2e-6));
    assertThat(actual.balanceLoss()).isCloseTo(expected.balanceLoss(), Offset.offset(2e-5));
    assertThat(actual.labels()).isEqualTo(expected.labels());
    assertThat(actual.correct()).isEqualTo(expected.correct());
  }

  private static void assertClose(INDArray actual, INDArray expected) {
    double size = expected.norm2Number().doubleValue();
    assertThat(size).isPositive();
    assertThat(actual.sub(expected).norm2Number().doubleValue() / size).isLessThan(1e-5);
  }

  @ParameterizedTest
  @MethodSource("networks")
  void theNumberOfThreadsDoesNotChangeABit(Backbone backbone, Stage stage, ExpertForm form) {
    TokenBatch batch = batch(backbone, LENGTHS);
    try (LoraMoeNetwork network = network(backbone, stage, form, SPLITTING)) {
      ComputeThreads.limit(1);
      PassResult alone = network.pass(batch, RECORD);
      INDArray gradient = network.host().gradient().dup();
      for (int threads : new int[] {2, 3, 4, 1}) {
        ComputeThreads.limit(threads);
        assertThat(network.pass(batch, RECORD)).as("%d threads", threads).isEqualTo(alone);
        assertThat(network.host().gradient()).isEqualTo(gradient);
      }
    }
  }

  @Test
  void aFailureInAReplicaReachesTheCaller() {
    Backbone backbone = TinyModels.llama(1);
    TokenBatch good = batch(backbone, LENGTHS);
    try (LoraMoeNetwork network =
        network(backbone, Stage.FINE_TUNING, form(RoutingMethod.TOP_K, Sharing.NONE), SPLITTING)) {
      double loss = network.pass(good, RECORD).loss();
      for (int at : new int[] {0, good.size() - 1}) {
        int[] tokens = good.tokens().clone();
        tokens[at] = 99;
        TokenBatch bad = new TokenBatch(tokens, good.segments(), good.labels(), good.starts());
        assertThatThrownBy(() -> network.pass(bad, RECORD))
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessage("Cannot embed token 99: the vocabulary has 11");
      }
      assertThat(network.pass(good, RECORD).loss()).isEqualTo(loss);
    }
  }

  @Test
  void fewTokensAndSingleSequencesAreNotSplit() {
    assertThat(Replicas.sequencesOfFirst(true, 12, 383)).isEqualTo(12);
    assertThat(Replicas.sequencesOfFirst(true, 12, 384)).isEqualTo(6);
    assertThat(Replicas.sequencesOfFirst(true, 1, 4096)).isEqualTo(1);
    assertThat(Replicas.sequencesOfFirst(true, 3, 4096)).isEqualTo(2);
    assertThat(Replicas.sequencesOfFirst(false, 12, 4096)).isEqualTo(12);
  }
}
