package io.guilomo.network;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.guilomo.backbone.LlamaBackbone;
import io.guilomo.backbone.LlamaConfig;
import io.guilomo.backbone.Rope;
import io.guilomo.data.TokenBatch;
import io.guilomo.golden.GoldenFiles;
import io.guilomo.kernel.Kernels;
import io.guilomo.kernel.RoutingStatistics;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** The load-balancing loss, one term a module, against the released fine-tuning code. */
class TestGoldenBalance {

  @ParameterizedTest
  @MethodSource("io.guilomo.network.KernelChoices#all")
  void lossAndGradient(Kernels kernels) {
    for (Path file : GoldenFiles.list("aux", "stage2_*.safetensors")) {
      Map<String, INDArray> golden = GoldenFiles.tensors(file);
      JsonNode entry = GoldenFiles.entry(file, "aux");
      int topK = entry.get("top_k").get(0).asInt();
      double largest = 0;
      PassContext context = null;
      for (String name : golden.keySet()) {
        if (!name.startsWith("logits.")) {
          continue;
        }
        INDArray logits = golden.get(name);
        int rows = logits.rows();
        if (context == null) {
          context = context(kernels, rows);
        }
        int[] choice = new int[rows * topK];
        INDArray p = Nd4j.zeros(logits.shape());
        INDArray weights = Nd4j.zeros(logits.shape());
        RoutingStatistics statistics = kernels.route(logits, null, topK, false, choice, p, weights);
        float[] dp = context.balance(statistics, 1);
        INDArray dLogits = Nd4j.zeros(logits.shape());
        kernels.routeBackward(Nd4j.zeros(logits.shape()), dp, topK, choice, p, weights, dLogits);
        String gradient = "grad." + name.substring("logits.".length());
        largest =
            Math.max(
                largest, GoldenNetwork.closeOrZero(gradient, dLogits, golden.get(gradient), 3e-6));
      }
      assertThat(entry.get("top_k")).allMatch(k -> k.asInt() == topK);
      double loss = golden.get("loss").getDouble(0);
      assertThat(context.balanceLoss())
          .isCloseTo(loss, org.assertj.core.data.Offset.offset(3e-6 * loss));
      GoldenFiles.report("aux/" + file.getFileName(), largest);
    }
  }

  private static PassContext context(Kernels kernels, int tokens) {
    LlamaConfig config =
        new LlamaConfig(4, 4, 1, 1, 1, 4, 2, 4, 1e-6f, new Rope(10000, null), 0, true);
    PassContext context =
        new PassContext(
            new LlamaBackbone(
                config, "", Nd4j.zeros(2, 4), List.of(), Nd4j.ones(4), Nd4j.zeros(2, 4)),
            kernels,
            new Buffers());
    context.begin(
        new TokenBatch(new int[tokens], new int[tokens], new int[tokens], new int[] {0, tokens}),
        PassOptions.training(0));
    return context;
  }
}
