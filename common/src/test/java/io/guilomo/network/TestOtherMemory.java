package io.guilomo.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.config.SearchConfig.OuterGradient;
import io.guilomo.data.TokenBatch;
import io.guilomo.family.FrozenCopies;
import io.guilomo.family.FrozenMemory;
import io.guilomo.family.FrozenTensors;
import io.guilomo.family.ModelReader;
import io.guilomo.kernel.FrozenMatrix;
import io.guilomo.kernel.KernelArrays;
import io.guilomo.kernel.Kernels;
import io.guilomo.kernel.KernelsUnderTest;
import io.guilomo.kernel.ObservedKernels;
import io.guilomo.model.UserException;
import io.guilomo.search.BilevelStep;
import io.guilomo.search.SearchSettings;
import io.guilomo.training.LearningRate;
import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Networks over arrays that the host cannot read. */
class TestOtherMemory {

  private static final Kernels REMOTE = KernelsUnderTest.named("remote");
  private static final String NORM = CausalHead.NORM + ".weight";
  private static final Backbone BACKBONE = TinyModels.llama(1);

  /** So many sequences that two replicas run them. */
  private static TokenBatch batch(long seed) {
    int[] lengths = new int[14];
    Arrays.fill(lengths, 30);
    return TinyModels.causal(seed, lengths);
  }

  @ParameterizedTest
  @EnumSource
  void searchStepsHaveTheBitsOfTheHosts(OuterGradient mode) {
    Kernels host = KernelsUnderTest.named("vector");
    try (LoraMoeNetwork here = search(host);
        LoraMoeNetwork there = search(REMOTE)) {
      SearchSettings settings =
          new SearchSettings(
              SearchSettings.INNER,
              LearningRate.constant(1e-3),
              SearchSettings.OUTER,
              0.1,
              mode,
              true,
              1,
              1);
      BilevelStep expected = new BilevelStep(here, host, settings);
      BilevelStep actual = new BilevelStep(there, REMOTE, settings);
      for (int step = 0; step < 3; step++) {
        TokenBatch train = batch(2L * step);
        TokenBatch validation = batch(2L * step + 1);
        assertThat(actual.run(step, train, validation))
            .isEqualTo(expected.run(step, train, validation));
      }
      there.download();
      assertThat(values(there.host().parameters())).isEqualTo(values(here.host().parameters()));
      assertThat(values(there.host().gradient())).isEqualTo(values(here.host().gradient()));
      assertThat(values(there.host().moments())).isEqualTo(values(here.host().moments()));
    }
  }

  private static LoraMoeNetwork search(Kernels kernels) {
    LoraMoeNetwork network =
        TinyModels.network(
            TinyModels.definition(
                BACKBONE, Stage.SEARCH, TinyModels.uniform(BACKBONE.config()), 0.1, 0.01),
            BACKBONE,
            kernels);
    TinyModels.shake(network, 3, 0.1);
    return network;
  }

  @ParameterizedTest
  @MethodSource("io.guilomo.kernel.KernelsUnderTest#all")
  void aPassWaitsForTheDeviceOnce(Kernels kernels) {
    AtomicInteger reads = new AtomicInteger();
    AtomicInteger writes = new AtomicInteger();
    Kernels observed =
        ObservedKernels.of(
            kernels,
            new ObservedKernels.Observer() {
              @Override
              public void before(String kernel, Object[] arguments) {
                reads.addAndGet(kernel.equals("read") || kernel.equals("norm") ? 1 : 0);
                writes.addAndGet(kernel.equals("write") ? 1 : 0);
              }
            });
    try (LoraMoeNetwork network = search(observed)) {
      TokenBatch small = TinyModels.causal(1, 9, 5);
      // Writes the rotary positions, which stay.
      network.pass(small, PassOptions.evaluation());
      for (PassOptions.Gradient gradient : PassOptions.Gradient.values()) {
        reads.set(0);
        writes.set(0);
        network.pass(
            small, PassOptions.training(1).with(gradient).with(PassOptions.Routing.RECORD));
        assertThat(reads).hasValue(1);
        assertThat(writes).hasValue(gradient == PassOptions.Gradient.NONE ? 0 : 1);
      }
    }
  }

  /** Refuses an array as a full card does. */
  private static final class FullCard implements ObservedKernels.Observer {

    private final Set<Object> live = Collections.newSetFromMap(new IdentityHashMap<>());
    private int free;

    FullCard(int free) {
      this.free = free;
    }

    @Override
    public void before(String kernel, Object[] arguments) {
      if (kernel.equals("release") && arguments[0] instanceof FrozenMatrix matrix) {
        live.remove(matrix);
      } else if (kernel.equals("release")) {
        live.remove(arguments[0]);
      } else if ((kernel.equals("allocate") || kernel.equals("frozen")) && free-- == 0) {
        throw new UserException("Cannot allocate more on GPU 0");
      }
    }

    @Override
    public void after(String kernel, Object[] arguments, Object result) {
      if (kernel.equals("allocate") || kernel.equals("frozen")) {
        live.add(result);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 3, 8})
  void whatWasLoadedIsFreedIfTheRestDoesNotFit(int fitting) {
    FullCard card = new FullCard(fitting);
    FrozenMemory memory = new FrozenMemory(ObservedKernels.of(REMOTE, card), DataType.FLOAT);
    FrozenTensors.Source source = (piece, target, digest) -> {};
    assertThatThrownBy(() -> ModelReader.make(BACKBONE.config(), source, memory))
        .hasMessageContaining("GPU 0");
    assertThat(card.live).isEmpty();
  }

  @Test
  void parametersAreFreedIfTheirGradientDoesNotFit() {
    FullCard card = new FullCard(1);
    Kernels kernels = ObservedKernels.of(REMOTE, card);
    Backbone loaded = FrozenCopies.of(BACKBONE, REMOTE);
    assertThatThrownBy(() -> tuned(loaded, kernels)).hasMessageContaining("GPU 0");
    assertThat(card.live).isEmpty();
  }

  @Test
  void matricesCanBeKeptInTwoBytes() {
    FrozenMemory memory = new FrozenMemory(REMOTE, DataType.BFLOAT16);
    Backbone kept = FrozenCopies.of(BACKBONE, memory);
    assertThat(kept.matrix(CausalHead.WEIGHT).type()).isEqualTo(DataType.BFLOAT16);
    assertThat(kept.matrix("block-0.gateUp.weight").type()).isEqualTo(DataType.BFLOAT16);
    assertThat(kept.vector(NORM).dataType()).isEqualTo(DataType.FLOAT);
    assertThat(KernelArrays.values(REMOTE, kept.vector(NORM)))
        .isEqualTo(values(BACKBONE.vector(NORM)));
    TokenBatch batch = TinyModels.causal(1, 9, 5);
    try (LoraMoeNetwork rounded = tuned(kept, REMOTE);
        LoraMoeNetwork exact = TinyModels.tuned(BACKBONE, REMOTE)) {
      double loss = exact.pass(batch, PassOptions.evaluation()).loss();
      assertThat(Math.abs(rounded.pass(batch, PassOptions.evaluation()).loss() - loss))
          .isBetween(1e-6, 1e-2 * loss);
    }
  }

  private static LoraMoeNetwork tuned(Backbone backbone, Kernels kernels) {
    LoraMoeNetwork network =
        LoraMoeNetwork.create(
            TinyModels.definition(
                backbone,
                Stage.FINE_TUNING,
                TinyModels.unequal(backbone.config(), Stage.FINE_TUNING),
                0.1,
                0),
            backbone,
            kernels);
    TinyModels.shake(network, 7, 0.1);
    return network;
  }

  private static float[] values(INDArray host) {
    return host.dup('c').data().asFloat();
  }
}
