package io.guilomo.network;

import static org.assertj.core.api.Assertions.assertThat;

import io.guilomo.kernel.Kernels;
import io.guilomo.kernel.KernelsUnderTest;
import org.junit.jupiter.api.Test;

class TestPassContext {

  @Test
  void layersShareArraysWhereNoBackwardPassFollows() {
    Kernels kernels = KernelsUnderTest.any();
    Buffers buffers = new Buffers(kernels);
    PassContext context = new PassContext(TinyModels.llama(1), null, kernels, buffers);
    context.begin(TinyModels.causal(1, 3), PassOptions.evaluation());
    assertThat(context.saved("0", "y", 3, 16)).isSameAs(context.saved("1", "y", 3, 16));
    assertThat(context.saved("0", "y", 3, 16)).isNotSameAs(context.saved("0", "x", 3, 16));
    assertThat(buffers.bytes()).isEqualTo(2 * 3 * 16 * Float.BYTES);

    context.begin(TinyModels.causal(1, 3), PassOptions.training(1));
    assertThat(context.saved("0", "y", 3, 16)).isNotSameAs(context.saved("1", "y", 3, 16));
    assertThat(buffers.bytes()).isEqualTo(4 * 3 * 16 * Float.BYTES);
  }
}
