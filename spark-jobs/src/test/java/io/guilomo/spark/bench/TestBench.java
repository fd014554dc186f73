package io.guilomo.spark.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.guilomo.config.ModelConfig.Precision;
import io.guilomo.config.Recompute;
import io.guilomo.config.SearchConfig.Estimator;
import io.guilomo.kernel.KernelSelection;
import io.guilomo.kernel.Kernels;
import io.guilomo.model.Sharing;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.factory.Nd4j;

class TestBench {

  @Test
  void shapesAreRead() {
    assertThat(BenchShape.of("search-llama"))
        .isEqualTo(
            new BenchShape(
                BenchShape.Task.SEARCH_LLAMA,
                6,
                8,
                128,
                Precision.FLOAT32,
                Recompute.NONE,
                "top-k",
                Sharing.NONE,
                Estimator.STRAIGHT_THROUGH));
    assertThat(BenchShape.of("finetune-llama-7b:precision=bfloat16:layers=2"))
        .isEqualTo(
            new BenchShape(
                BenchShape.Task.FINETUNE_7B,
                2,
                16,
                256,
                Precision.BFLOAT16,
                Recompute.NONE,
                "top-k",
                Sharing.NONE,
                Estimator.STRAIGHT_THROUGH));
    assertThat(
            BenchShape.of(
                "finetune-bert:layers=12:length=64:routing=dense:recompute=blocks:sequences=4"))
        .isEqualTo(
            new BenchShape(
                BenchShape.Task.FINETUNE_BERT,
                12,
                4,
                64,
                Precision.FLOAT32,
                Recompute.BLOCKS,
                "dense",
                Sharing.NONE,
                Estimator.STRAIGHT_THROUGH));
    assertThat(BenchShape.of("finetune-llama:sharing=shared-a:layers=2").sharing())
        .isEqualTo(Sharing.SHARED_A);
    assertThat(BenchShape.of("search-llama:estimator=expected").estimator())
        .isEqualTo(Estimator.EXPECTED);
  }

  @ParameterizedTest
  @CsvSource({
    "gemm, 'Cannot measure gemm: the cases are [search-llama, finetune-llama, finetune-llama-4x4, generate-llama, search-bert, finetune-bert, finetune-bert-4x4, finetune-bert-2x4, search-llama-2048, finetune-llama-2048, search-llama-1b, finetune-llama-1b, search-llama-7b, finetune-llama-7b]'",
    "search-bert:layers, 'Cannot measure search-bert:layers: expected CASE:layers=N, CASE:sequences=N, CASE:length=N, CASE:precision=TYPE, CASE:recompute=WHAT, CASE:routing=HOW, CASE:sharing=WHAT or CASE:estimator=WHICH, not layers'",
    "search-bert:layers=0, 'Cannot measure search-bert:layers=0: expected CASE:layers=N, CASE:sequences=N, CASE:length=N, CASE:precision=TYPE, CASE:recompute=WHAT, CASE:routing=HOW, CASE:sharing=WHAT or CASE:estimator=WHICH, not layers=0'",
    "search-bert:length=513, 'Cannot measure search-bert:length=513: expected CASE:layers=N, CASE:sequences=N, CASE:length=N, CASE:precision=TYPE, CASE:recompute=WHAT, CASE:routing=HOW, CASE:sharing=WHAT or CASE:estimator=WHICH, not length=513'",
    "search-bert:ranks=2, 'Cannot measure search-bert:ranks=2: expected CASE:layers=N, CASE:sequences=N, CASE:length=N, CASE:precision=TYPE, CASE:recompute=WHAT, CASE:routing=HOW, CASE:sharing=WHAT or CASE:estimator=WHICH, not ranks=2'",
    "search-bert:precision=half, 'Cannot measure search-bert:precision=half: precisions are [float32, bfloat16, int8]'",
    "search-bert:recompute=all, 'Cannot measure search-bert:recompute=all: kinds of recompute are [none, blocks]'",
    "search-bert:routing=hash, 'Cannot measure search-bert:routing=hash: kinds of routing are [top-k, dense, sparsegen]'",
    "finetune-bert:estimator=expected, 'Cannot measure finetune-bert:estimator=expected: finetune-bert has no estimator'",
    "search-bert:estimator=best, 'Cannot measure search-bert:estimator=best: estimators are [straight-through, expected]'",
    "search-bert:sharing=b, 'Cannot measure search-bert:sharing=b: kinds of sharing are [none, shared-a]'",
  })
  void othersAreRefused(String text, String message) {
    assertThatThrownBy(() -> BenchShape.of(text)).hasMessage(message);
  }

  @Test
  void aStepOfTwiceTheLayersMustDoTwiceTheProductsOfTheLayers() {
    Kernels kernels = KernelSelection.named("portable");
    double[] gflop = new double[3];
    for (int layers = 1; layers <= 3; layers++) {
      String name = "finetune-bert-4x4:sequences=2:length=8:layers=" + layers;
      try (BenchCase benchCase = new BenchCase(BenchShape.of(name), kernels)) {
        assertThat(benchCase.tokens()).isEqualTo(16);
        benchCase.step(0);
        gflop[layers - 1] = benchCase.gflop();
      }
    }
    assertThat(gflop[2] - gflop[1]).isCloseTo(gflop[1] - gflop[0], within(1e-9));
    assertThat(gflop[1]).isGreaterThan(gflop[0]);
  }

  /** In a fine-tuning step each row of {@code A} is in three products of 16 tokens. */
  @Test
  void aSharedAHasFewerProducts() {
    String name = "finetune-bert-4x4:sequences=2:length=8:layers=2";
    double[] gflop = new double[2];
    for (Sharing sharing : Sharing.values()) {
      BenchShape shape = BenchShape.of(name + ":sharing=" + sharing);
      try (BenchCase benchCase = new BenchCase(shape, KernelSelection.named("portable"))) {
        benchCase.step(0);
        gflop[sharing.ordinal()] = benchCase.gflop();
      }
    }
    double inputs = 5 * 384 + 1536;
    double less = 12 * 2.0 * 16 * (2 * inputs * 3 - 3 * 384);
    assertThat((gflop[0] - gflop[1]) * 1e9).isCloseTo(less, within(1.0));
  }

  /** The ± passes, and in the validation pass the gradients of the weights. */
  @Test
  void aFirstOrderSearchHasFewerPasses() {
    String name = "search-bert:sequences=2:length=8:layers=1";
    double[] gflop = new double[2];
    for (Estimator estimator : Estimator.values()) {
      BenchShape shape = BenchShape.of(name + ":estimator=" + estimator);
      try (BenchCase benchCase = new BenchCase(shape, KernelSelection.best())) {
        benchCase.step(0);
        gflop[estimator.ordinal()] = benchCase.gflop();
      }
    }
    assertThat(gflop[1]).isBetween(0.45 * gflop[0], 0.5 * gflop[0]);
  }

  @Test
  void generationReadsEachTokenOnce() {
    String name = "generate-llama:layers=1:sequences=3:length=5";
    try (BenchCase benchCase = new BenchCase(BenchShape.of(name), KernelSelection.best())) {
      assertThat(benchCase.tokens()).isEqualTo(3 * 64);
      benchCase.step(0);
      double modules = 4 * 384 * 384 + 3 * 384 * 1024;
      double inputs = 6 * 384 + 1024;
      double experts = 64 * (inputs + 5 * 384 + 2 * 1024) + 8 * inputs;
      // A token is read with all modules, predicted with the vocabulary, and attends to all.
      double expected = 2.0 * 3 * (68 * (modules + experts) + 63 * 384 * 4096 + 2 * 68 * 68 * 384);
      assertThat(benchCase.gflop() * 1e9).isCloseTo(expected, within(1.0));
    }
  }

  @Test
  void aProfileCountsCallsAndWhatIsOutside() {
    KernelProfile profile = new KernelProfile();
    Kernels kernels = profile.of(KernelSelection.named("portable"));
    kernels.norm(Nd4j.ones(4));
    profile.clear();
    assertThat(kernels.norm(Nd4j.ones(4))).isEqualTo(2);
    kernels.norm(Nd4j.ones(9));
    kernels.scale(Nd4j.ones(4), 3);
    kernels.product(Nd4j.ones(5, 2), true, Nd4j.ones(5, 3), false, Nd4j.ones(2, 3), false);
    Map<String, KernelProfile.Share> shares = profile.shares(1000, 2);
    assertThat(shares).containsOnlyKeys("norm", "scale", "product 2×3×5", KernelProfile.REST);
    assertThat(shares.get("norm").calls()).isEqualTo(1);
    assertThat(shares.get("scale").calls()).isEqualTo(0.5);
    assertThat(shares.get("product 2×3×5").gflops()).isPositive();
    assertThat(shares.get(KernelProfile.REST).share()).isBetween(0.9, 1.0);
    assertThat(shares.values().stream().mapToDouble(KernelProfile.Share::share).sum())
        .isCloseTo(1, within(1e-9));
    assertThatThrownBy(() -> kernels.scale(null, 1))
        .isNotInstanceOf(ReflectiveOperationException.class);
  }
}
