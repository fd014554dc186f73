package io.guilomo.network;

import static org.assertj.core.api.Assertions.assertThat;

import io.guilomo.config.Recompute;
import io.guilomo.family.FrozenCopies;
import io.guilomo.golden.GoldenFiles;
import io.guilomo.kernel.KernelArrays;
import io.guilomo.kernel.Kernels;
import io.guilomo.kernel.KernelsUnderTest;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Both norms, in both arrangements of a block. */
class TestNorm {

  private static final Kernels KERNELS = KernelsUnderTest.any();
  private static final int ROWS = 3;
  private static final int HIDDEN = 16;

  private final Random random = new Random(1);

  @Test
  void gradientsAreAddedOrWritten() {
    ArrayDeclarations arrays = new ArrayDeclarations("norms");
    WorkingArray normed = arrays.saved("normed", HIDDEN);
    List<Norm> norms =
        List.of(
            Norm.rms("norm", 1e-6f, normed, arrays.keptRow("rms")),
            Norm.layer("norm", 1e-6f, normed, arrays.keptRow("mean"), arrays.keptRow("dev")));
    INDArray x = normal(ROWS, HIDDEN);
    INDArray dy = normal(ROWS, HIDDEN);
    INDArray before = normal(ROWS, HIDDEN);
    for (Norm norm : norms) {
      norm.attach(context());
      norm.forward(KernelArrays.array(KERNELS, x));
      INDArray written = KernelArrays.array(KERNELS, before);
      norm.backward(KernelArrays.array(KERNELS, dy), written, false);
      INDArray added = KernelArrays.array(KERNELS, before);
      norm.backward(KernelArrays.array(KERNELS, dy), added, true);
      GoldenFiles.assertClose(
          "added",
          KernelArrays.host(KERNELS, added),
          KernelArrays.host(KERNELS, written).add(before),
          1e-6);
      assertThat(
              GoldenFiles.relativeError(
                  KernelArrays.host(KERNELS, added), KernelArrays.host(KERNELS, written)))
          .isGreaterThan(0.1);
    }
  }

  private PassContext context() {
    Backbone host =
        FrozenCopies.backbone(
            TinyModels.llama(1).config(),
            "tiny",
            Map.of(
                Backbone.WORDS,
                normal(2, HIDDEN),
                "norm.weight",
                normal(1, HIDDEN).ravel(),
                "norm.bias",
                normal(1, HIDDEN).ravel()));
    Backbone backbone = FrozenCopies.of(host, KERNELS);
    PassContext context = new PassContext(backbone, KERNELS, new Buffers(KERNELS), Recompute.NONE);
    context.begin(TinyModels.causal(1, ROWS), PassOptions.training(1));
    return context;
  }

  private INDArray normal(int rows, int columns) {
    float[] values = new float[rows * columns];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return Nd4j.createFromArray(values).reshape('c', rows, columns);
  }
}
