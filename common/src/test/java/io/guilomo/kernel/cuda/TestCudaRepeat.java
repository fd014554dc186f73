package io.guilomo.kernel.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import io.guilomo.kernel.Kernels;
import io.guilomo.kernel.KernelsUnderTest;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.buffer.DataType;

/** The same search gives the same bits, however often it is run. */
@EnabledIf("io.guilomo.kernel.KernelsUnderTest#cuda")
class TestCudaRepeat {
  private static final int STEPS = 3;

  @ParameterizedTest
  @EnumSource(names = {"FLOAT", "BFLOAT16"})
  void sameBitsTwice(DataType matrices) {
    Kernels kernels = KernelsUnderTest.named("cuda");
    float[][] first = run(kernels, matrices);
    float[][] second = run(kernels, matrices);
    assertThat(second[0]).isEqualTo(first[0]);
    assertThat(second[1]).isEqualTo(first[1]);
  }

  private static float[][] run(Kernels kernels, DataType matrices) {
    try (SmallSearch search = new SmallSearch(kernels, matrices)) {
      for (int i = 0; i < STEPS; i++) {
        search.step();
      }
      return new float[][] {search.weights(), search.gsvs()};
    }
  }
}
