package io.guilomo.network;

import static org.assertj.core.api.Assertions.assertThat;

import io.guilomo.config.Recompute;
import io.guilomo.kernel.Kernels;
import io.guilomo.kernel.KernelsUnderTest;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;

class TestPassContext {

  @Test
  void layersShareArraysWhereNoBackwardPassFollows() {
    Kernels kernels = KernelsUnderTest.any();
    Buffers buffers = new Buffers(kernels);
    PassContext context = new PassContext(TinyModels.llama(1), kernels, buffers, Recompute.NONE);
    context.begin(TinyModels.causal(1, 3), PassOptions.evaluation());
    long before = buffers.bytes();
    WorkingArray y0 = new ArrayDeclarations("0").saved("y", 16);
    WorkingArray y1 = new ArrayDeclarations("1").saved("y", 16);
    WorkingArray x0 = new ArrayDeclarations("0").saved("x", 16);
    assertThat(context.array(y0)).isSameAs(context.array(y1)).isNotSameAs(context.array(x0));
    assertThat(buffers.bytes() - before).isEqualTo(2 * 3 * 16 * Float.BYTES);

    context.begin(TinyModels.causal(1, 3), PassOptions.training(1));
    assertThat(context.array(y0)).isNotSameAs(context.array(y1));
    assertThat(buffers.bytes() - before).isEqualTo(4 * 3 * 16 * Float.BYTES);
  }

  @Test
  void scratchIsOneArrayInAllPasses() {
    Kernels kernels = KernelsUnderTest.any();
    PassContext context =
        new PassContext(TinyModels.llama(1), kernels, new Buffers(kernels), Recompute.NONE);
    WorkingArray first = new ArrayDeclarations("0").scratch("z", 16);
    WorkingArray second = new ArrayDeclarations("1").scratch("z", 16);
    context.begin(TinyModels.causal(1, 3), PassOptions.training(1));
    assertThat(context.array(first).shape()).containsExactly(3, 16);
    assertThat(context.array(first)).isSameAs(context.array(second));
    assertThat(context.array(first, 2).shape()).containsExactly(2, 16);
  }

  @Test
  void layersShareWhatIsComputedAgain() {
    Kernels kernels = KernelsUnderTest.any();
    Buffers buffers = new Buffers(kernels);
    PassContext context = new PassContext(TinyModels.llama(1), kernels, buffers, Recompute.BLOCKS);
    ArrayDeclarations first = new ArrayDeclarations("0", "block");
    ArrayDeclarations second = new ArrayDeclarations("1", "block");
    WorkingArray x0 = first.saved("x", 16);
    WorkingArray x1 = second.saved("x", 16);
    WorkingArray y0 = first.kept("y", 16);
    WorkingArray y1 = second.kept("y", 16);
    context.begin(TinyModels.causal(1, 3), PassOptions.training(1));
    INDArray shared = context.array(x0);
    assertThat(context.array(x1)).isSameAs(shared).isNotSameAs(context.array(y0));
    assertThat(context.array(y1)).isNotSameAs(context.array(y0));

    // What training has is there for other passes too.
    long bytes = buffers.bytes();
    context.begin(TinyModels.causal(1, 3), PassOptions.evaluation());
    assertThat(context.array(x1)).isSameAs(shared);
    assertThat(context.array(y1)).isNotSameAs(context.array(y0));
    assertThat(buffers.bytes()).isEqualTo(bytes);
  }
}
