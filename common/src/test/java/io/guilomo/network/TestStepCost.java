package io.guilomo.network;

import static org.assertj.core.api.Assertions.assertThat;

import io.guilomo.data.TokenBatch;
import io.guilomo.family.llama.LlamaConfig;
import io.guilomo.model.ModuleExperts;
import io.guilomo.model.RoutingMethod;
import io.guilomo.network.PassOptions.Gradient;
import java.util.Arrays;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;

/**
 * Operation counts of the benchmark's decoder: 6 layers of 384, 8 experts of rank 8 on every
 * module, 1024 tokens.
 */
class TestStepCost {

  private static final LlamaConfig CONFIG =
      new LlamaConfig(384, 1024, 6, 6, 6, 64, 4096, 128, 1e-6f, new Rope(10000, null), 0, false);
  private static final TokenBatch BATCH = batch(8, 128);

  @Test
  void fineTuningStep() {
    double operations = cost(Stage.FINE_TUNING).pass(BATCH, Gradient.ALL);
    assertThat(operations).isCloseTo(70.6e9, Percentage.withPercentage(1));
    assertThat(operations).isCloseTo(expected(true), Percentage.withPercentage(1e-9));
  }

  @Test
  void searchStep() {
    double operations = cost(Stage.SEARCH).searchStep(BATCH, BATCH);
    assertThat(operations).isCloseTo(270.4e9, Percentage.withPercentage(1));
    assertThat(operations)
        .isCloseTo(2 * expected(true) + 2 * expected(false), Percentage.withPercentage(1e-9));
  }

  @Test
  void passesForLessCostLess() {
    StepCost cost = cost(Stage.SEARCH);
    double forward = cost.pass(BATCH, Gradient.NONE);
    double gsvs = cost.pass(BATCH, Gradient.GSVS);
    double all = cost.pass(BATCH, Gradient.ALL);
    assertThat(forward).isLessThan(gsvs / 2);
    assertThat(gsvs).isLessThan(all);
  }

  @Test
  void labelsAloneReachTheHead() {
    int[] none = new int[BATCH.size()];
    Arrays.fill(none, TokenBatch.IGNORED);
    TokenBatch unlabelled = new TokenBatch(BATCH.tokens(), BATCH.segments(), none, BATCH.starts());
    double head = 2.0 * 8 * 127 * 384 * 4096;
    StepCost cost = cost(Stage.SEARCH);
    assertThat(cost.pass(BATCH, Gradient.NONE) - cost.pass(unlabelled, Gradient.NONE))
        .isEqualTo(head);
  }

  @Test
  void windowsBoundWhatATokenIsCountedWith() {
    double forward = cost(Stage.SEARCH).pass(BATCH, Gradient.NONE);
    double saved = 6 * 8 * 4.0 * 128 * (128 - 30) * 384;
    assertThat(cost(windowed(30), Stage.SEARCH).pass(BATCH, Gradient.NONE))
        .isEqualTo(forward - saved);
    assertThat(cost(windowed(500), Stage.SEARCH).pass(BATCH, Gradient.NONE)).isEqualTo(forward);
  }

  private static LlamaConfig windowed(int window) {
    return new LlamaConfig(
        384, 1024, 6, 6, 6, 64, 4096, 128, 1e-6f, new Rope(10000, null), window, false);
  }

  /** Matrix products of one pass written out, two operations a multiplication. */
  private static double expected(boolean weightGradients) {
    double tokens = 1024;
    double hidden = 384;
    double wide = 1024;
    double layers = 6;
    double ranks = 64;
    double experts = 8;

    double frozen = 4 * hidden * hidden + 3 * hidden * wide;
    // q, k, v, o, gate and up read the narrow state, down the wide one; the other way round for
    // what they write.
    double down = (ranks + experts) * (6 * hidden + wide);
    double up = ranks * (5 * hidden + 2 * wide);
    double forward = 2 * tokens * layers * (frozen + down + up);
    // The input of the first q, k and v needs no gradient.
    double unneeded = 2 * tokens * 3 * (hidden * hidden + (ranks + experts) * hidden);
    double ofWeights = 2 * tokens * layers * (down + up);
    double attention = layers * 8 * 4.0 * 128 * 128 * hidden;
    double head = 2.0 * 8 * 127 * hidden * 4096;
    return 2 * forward - unneeded + (weightGradients ? ofWeights : 0) + 3 * attention + 2 * head;
  }

  private static StepCost cost(Stage stage) {
    return cost(CONFIG, stage);
  }

  private static StepCost cost(LlamaConfig config, Stage stage) {
    return new StepCost(
        GoldenNetwork.definition(
            config,
            stage,
            config.linearModules().stream()
                .map(module -> ModuleExperts.uniform(module, 8, 8, 16, RoutingMethod.topK(2)))
                .toList()));
  }

  private static TokenBatch batch(int sequences, int length) {
    int[] starts = new int[sequences + 1];
    Arrays.setAll(starts, i -> i * length);
    int size = sequences * length;
    return new TokenBatch(new int[size], new int[size], new int[size], starts);
  }
}
