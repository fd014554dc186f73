package io.guilomo.network.moe;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.guilomo.golden.GoldenFiles;
import io.guilomo.kernel.ExpertChoice;
import io.guilomo.kernel.KernelArrays;
import io.guilomo.kernel.Kernels;
import io.guilomo.model.LinearModule;
import io.guilomo.model.ModuleExperts;
import io.guilomo.model.RoutingMethod;
import io.guilomo.network.ArrayDeclarations;
import io.guilomo.network.BatchLoss;
import io.guilomo.network.GoldenNetwork;
import java.nio.file.Path;
import java.util.Map;
import org.assertj.core.data.Offset;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The load-balancing loss, one term a module, against the released fine-tuning code. */
class TestGoldenBalance {

  @ParameterizedTest
  @MethodSource("io.guilomo.kernel.KernelsUnderTest#all")
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
        INDArray logits = KernelArrays.array(kernels, golden.get(name));
        int rows = logits.rows();
        int experts = logits.columns();
        ExpertChoice choice = kernels.choice(rows * topK);
        INDArray p = KernelArrays.zeros(kernels, logits.shape());
        INDArray weights = KernelArrays.zeros(kernels, logits.shape());
        INDArray measured = KernelArrays.doubles(kernels, 2 * experts);
        kernels.route(logits, null, topK, false, choice, p, weights, measured);
        LinearModule module = new LinearModule(0, name, 1, 1);
        TopKRouter router =
            new TopKRouter(
                ModuleExperts.uniform(module, experts, 1, 1, RoutingMethod.topK(topK)),
                new ArrayDeclarations(name));
        BatchLoss balance = new BatchLoss(rows, 1, null);
        float[] slope = new float[router.gradients()];
        router.evaluate(KernelArrays.doubleValues(kernels, measured), balance, slope);
        loss += balance.value();
        INDArray dp = KernelArrays.array(kernels, slope);
        INDArray dWeights = KernelArrays.zeros(kernels, logits.shape());
        INDArray slopes = KernelArrays.zeros(kernels, logits.shape());
        kernels.routeBackward(dWeights, dp, topK, choice, p, weights, slopes);
        INDArray dLogits = KernelArrays.host(kernels, slopes);
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
