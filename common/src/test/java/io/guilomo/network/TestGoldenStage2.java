package io.guilomo.network;

import static io.guilomo.kernel.KernelArrays.host;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.guilomo.data.TokenBatch;
import io.guilomo.golden.GoldenFiles;
import io.guilomo.kernel.AdamW;
import io.guilomo.kernel.Kernels;
import io.guilomo.kernel.ObservedKernels;
import io.guilomo.model.LinearModule;
import io.guilomo.model.ModuleExperts;
import io.guilomo.model.RoutingMethod;
import io.guilomo.training.InnerUpdate;
import io.guilomo.training.LearningRate;
import io.guilomo.training.TrainingStep;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.assertj.core.data.Offset;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The fine-tuning model of an exported plan, and five steps of its training, against the released
 * code.
 */
class TestGoldenStage2 {

  private static final double TOLERANCE = 6e-5;
  private static final double STEP_TOLERANCE = 5e-5;
  private static final double LOSS_TOLERANCE = 5e-6;
  private static final int ROWS = 4;

  @ParameterizedTest
  @MethodSource("io.guilomo.kernel.KernelsUnderTest#all")
  void logitsLossAndGradients(Kernels kernels) {
    for (Path file : files()) {
      Map<String, INDArray> golden = GoldenFiles.tensors(file);
      ObservedRouting routing = new ObservedRouting(kernels);
      try (LoraMoeNetwork network = network(file, golden, ObservedKernels.of(kernels, routing))) {
        TokenBatch batch = GoldenNetwork.batch(GoldenFiles.longs(file), "batch.0.", ROWS);
        INDArray expected = golden.get("fwd.logits");
        INDArray logits = host(kernels, network.logits(batch)).reshape(expected.shape());
        double largest = GoldenFiles.assertClose("fwd.logits", logits, expected, TOLERANCE);

        routing.clear();
        PassResult result = network.pass(batch, PassOptions.training(0));
        largest =
            Math.max(
                largest, close("loss", result.taskLoss(), golden.get("fwd.loss").getDouble(0)));
        assertThat(result.loss()).as("without a balance loss").isEqualTo(result.taskLoss());
        double balance = golden.get("fwd.aux_unscaled").getDouble(0);
        largest = Math.max(largest, close("balance loss", result.balanceLoss(), balance));
        for (ModuleExperts module : network.modules()) {
          String name = "fwd.router_logits." + GoldenNetwork.path(module.module());
          ObservedRouting.Routed ours = routing.of(network.modules(), module.module());
          largest = Math.max(largest, ours.closeTo(name, golden.get(name), TOLERANCE));
        }
        double gradients =
            GoldenNetwork.compare(
                network, network::gradient, golden, "fwd.grad/", name -> TOLERANCE);
        GoldenFiles.report(
            "stage2/" + file.getFileName() + " forward and backward", Math.max(largest, gradients));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("io.guilomo.kernel.KernelsUnderTest#all")
  void fiveSteps(Kernels kernels) {
    for (Path file : files()) {
      JsonNode json = GoldenFiles.json(file);
      Map<String, INDArray> golden = GoldenFiles.tensors(file);
      Map<String, long[]> longs = GoldenFiles.longs(file);
      assertThat(json.get("warmup").asInt()).isZero();
      LastGradient gradient = new LastGradient(kernels);
      Kernels observed = ObservedKernels.of(kernels, gradient);
      try (LoraMoeNetwork network = network(file, golden, observed)) {
        TrainingStep training =
            new TrainingStep(
                network,
                observed,
                new InnerUpdate(network, observed, new AdamW(0.9, 0.999, 1e-8, 0), 0),
                LearningRate.constant(json.get("lr").asDouble()),
                1);
        double largest = 0;
        JsonNode losses = json.get("losses");
        assertThat(losses).hasSize(5);
        for (int step = 0; step < losses.size(); step++) {
          TokenBatch batch = GoldenNetwork.batch(longs, "batch." + step + ".", ROWS);
          double loss = training.run(step, batch).training().taskLoss();
          largest =
              Math.max(largest, close("loss of step " + step, loss, losses.get(step).asDouble()));
          String prefix = "step" + step + ".";
          if (golden.keySet().stream().anyMatch(name -> name.startsWith(prefix))) {
            largest =
                Math.max(
                    largest,
                    GoldenNetwork.compareVector(
                        network,
                        gradient.value,
                        golden,
                        prefix + "w_grad_clipped/",
                        STEP_TOLERANCE));
            largest = Math.max(largest, compare(network, golden, prefix + "w_after/"));
          }
        }
        largest = Math.max(largest, compare(network, golden, "final/"));
        GoldenFiles.report("stage2/" + file.getFileName() + " steps", largest);
      }
    }
  }

  /** The gradient that AdamW got last. */
  private static final class LastGradient implements ObservedKernels.Observer {
    private final Kernels kernels;
    private INDArray value;

    LastGradient(Kernels kernels) {
      this.kernels = kernels;
    }

    @Override
    public void before(String kernel, Object[] arguments) {
      if (kernel.equals("adamW")) {
        value = host(kernels, (INDArray) arguments[4]);
      }
    }
  }

  private static List<Path> files() {
    return GoldenFiles.list("stage2", "stage2_*.safetensors").stream()
        .filter(file -> !file.getFileName().toString().contains("adapter"))
        .toList();
  }

  private static LoraMoeNetwork network(Path file, Map<String, INDArray> golden, Kernels kernels) {
    JsonNode json = GoldenFiles.json(file);
    Backbone backbone = GoldenNetwork.backbone(json, golden, "init/");
    List<ModuleExperts> modules =
        backbone.config().linearModules().stream().map(module -> experts(module, json)).toList();
    assertThat(modules)
        .as("plan")
        .anyMatch(module -> module.ranks().stream().distinct().count() > 1);
    NetworkDefinition definition =
        GoldenNetwork.definition(backbone.config(), Stage.FINE_TUNING, modules);
    LoraMoeNetwork network = TinyModels.network(definition, backbone, kernels);
    GoldenNetwork.load(network, golden, "init/");
    return network;
  }

  /** Unlike this project, the released code scales all experts of a module alike. */
  private static ModuleExperts experts(LinearModule module, JsonNode json) {
    String path = GoldenNetwork.path(module);
    List<Integer> ranks = new ArrayList<>();
    for (int e = 0; e < json.get("expert_json").get(path).asInt(); e++) {
      ranks.add(json.get("rank_json").get(path + ".expertlora_E_vector_" + e).asInt());
    }
    double scaling = json.get("scaling").get("base_model.model." + path).asDouble();
    return new ModuleExperts(
        module,
        ranks,
        Collections.nCopies(ranks.size(), scaling),
        RoutingMethod.topK(GoldenNetwork.topK(json)));
  }

  private static double compare(
      LoraMoeNetwork network, Map<String, INDArray> golden, String prefix) {
    return GoldenNetwork.compare(
        network, GoldenNetwork.parameters(network), golden, prefix, name -> STEP_TOLERANCE);
  }

  private static double close(String name, double actual, double expected) {
    assertThat(actual).as(name).isCloseTo(expected, Offset.offset(LOSS_TOLERANCE * expected));
    return Math.abs(actual - expected) / expected;
  }
}
