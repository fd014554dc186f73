package io.guilomo.kernel.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.guilomo.kernel.Kernels;
import io.guilomo.kernel.KernelsUnderTest;
import io.guilomo.search.SearchStepResult;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.nd4j.linalg.api.buffer.DataType;

/** A search on a card beside one on the processor, and what it asks of the card. */
@EnabledIf("io.guilomo.kernel.KernelsUnderTest#cuda")
class TestCudaSearch {

  /** One is enough, and takes long enough, where every access is watched. */
  private static final int STEPS =
      "racecheck".equals(System.getProperty("guilomo.test.sanitizer")) ? 1 : 4;

  @Test
  void aSearchGoesAsOnTheProcessor() {
    try (SmallSearch card = new SmallSearch(KernelsUnderTest.named("cuda"), DataType.FLOAT);
        SmallSearch processor =
            new SmallSearch(KernelsUnderTest.named("portable"), DataType.FLOAT)) {
      assertThat(card.weights()).isEqualTo(processor.weights());
      for (int i = 0; i < STEPS; i++) {
        SearchStepResult found = card.step();
        SearchStepResult expected = processor.step();
        assertThat(found.training().loss()).isCloseTo(expected.training().loss(), within(1e-5));
        assertThat(found.validation().loss()).isCloseTo(expected.validation().loss(), within(1e-5));
        assertThat(found.training().correct()).isEqualTo(expected.training().correct());
        assertThat(found.movedChoices()).isEqualTo(expected.movedChoices());
      }
      assertClose(card.weights(), processor.weights(), 1e-4);
      assertClose(card.gsvs(), processor.gsvs(), 1e-3);
    }
  }

  @Test
  void bfloat16WeightsMoveTheLossByTheirRounding() {
    try (SmallSearch exact = new SmallSearch(KernelsUnderTest.named("cuda"), DataType.FLOAT);
        SmallSearch rounded = new SmallSearch(KernelsUnderTest.named("cuda"), DataType.BFLOAT16)) {
      double difference = rounded.step().training().loss() - exact.step().training().loss();
      assertThat(Math.abs(difference)).isBetween(1e-7, 2e-2);
    }
  }

  /** Waits: for the loss and the statistics of each of four passes, and for what a step decides. */
  @Test
  void aStepWaitsOnceAPassAndCopiesNoArrays() {
    Kernels kernels = KernelsUnderTest.named("cuda");
    CudaStream stream = ((CudaKernels) kernels).card().stream();
    try (SmallSearch search = new SmallSearch(kernels, DataType.FLOAT)) {
      search.step();
      search.step();
      CudaWork before = stream.work();
      SearchStepResult result = search.step();
      CudaWork step = stream.work().since(before);
      int passes = result.movedChoices() > 0 ? 5 : 4;
      // Beside the passes: the gradient's norm, that of v, and the argmaxes before and after.
      int decisions = result.movedChoices() > 0 ? 5 : 4;
      assertThat(step.waits()).isLessThanOrEqualTo(passes + decisions);
      // Statistics of 14 modules, losses, and the selection vectors twice.
      assertThat(step.bytesToHost()).isLessThan(16_000);
      // The gradients of the balance loss; tokens and labels were there already.
      assertThat(step.bytesToDevice()).isLessThan(8_000);
      assertThat(step.launches()).isLessThan(passes * 420L);
    }
  }

  private static void assertClose(float[] found, float[] expected, double tolerance) {
    assertThat(found).hasSameSizeAs(expected);
    for (int i = 0; i < found.length; i++) {
      assertThat((double) found[i]).as("entry %d", i).isCloseTo(expected[i], within(tolerance));
    }
  }
}
