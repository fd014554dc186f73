package io.guilomo.network;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.guilomo.backbone.LinearModule;
import io.guilomo.golden.GoldenFiles;
import io.guilomo.kernel.Kernels;
import io.guilomo.kernel.RoutingStatistics;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.assertj.core.data.Offset;
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
      double loss = 0;
      for (String name : golden.keySet()) {
        if (!name.startsWith("logits.")) {
          continue;
        }
        INDArray logits = golden.get(name);
        int rows = logits.rows();
        int[] choice = new int[rows * topK];
        INDArray p = Nd4j.zeros(logits.shape());
        INDArray weights = Nd4j.zeros(logits.shape());
        RoutingStatistics statistics = kernels.route(logits, null, topK, false, choice, p, weights);
        LinearModule module = new LinearModule(0, name, 1, 1);
        LoadBalance balance = LoadBalance.of(List.of(Map.of(module, statistics)), rows, 1);
        loss += balance.loss();
        float[] dp = balance.gradient(module);
        INDArray dLogits = Nd4j.zeros(logits.shape());
        kernels.routeBackward(Nd4j.zeros(logits.shape()), dp, topK, choice, p, weights, dLogits);
        String gradient = "grad." + name.substring("logits.".length());
        largest =
            Math.max(
                largest, GoldenNetwork.closeOrZero(gradient, dLogits, golden.get(gradient), 3e-6));
      }
      assertThat(entry.get("top_k")).allMatch(k -> k.asInt() == topK);
      double expected = golden.get("loss").getDouble(0);
      assertThat(loss).isCloseTo(expected, Offset.offset(3e-6 * expected));
      GoldenFiles.report("aux/" + file.getFileName(), largest);
    }
  }
}
