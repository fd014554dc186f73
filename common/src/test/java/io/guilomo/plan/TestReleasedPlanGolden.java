package io.guilomo.plan;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.guilomo.family.llama.Decoder;
import io.guilomo.golden.GoldenFiles;
import io.guilomo.model.ExpertForm;
import io.guilomo.model.LinearModule;
import io.guilomo.model.ModulePaths;
import io.guilomo.model.RoutingMethod;
import io.guilomo.model.Scaling;
import io.guilomo.network.GoldenNetwork;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The plans the released code exported from its own GSVs. */
class TestReleasedPlanGolden {
  @Test
  void vectorsAreHere() {
    assertThat(exports()).isNotEmpty();
    assertThat(runs()).isNotEmpty();
  }

  static Stream<Path> exports() {
    return GoldenFiles.list("export", "*").stream();
  }

  static Stream<Path> runs() {
    return GoldenFiles.list("bilevel", "*.safetensors").stream();
  }

  @ParameterizedTest
  @MethodSource("exports")
  void exportedFilesAreEqualByteForByte(Path dir) throws IOException {
    Map<String, INDArray> tensors = GoldenFiles.tensors(dir.resolve("adapter_model.safetensors"));
    JsonNode config = GoldenFiles.parse(dir.resolve("adapter_config.json"));
    double alpha = config.get("lora_alpha").doubleValue();
    int topK = GoldenNetwork.topK(config);
    List<GuidedSelection> selections = selections(tensors, "base_model.model.", "_");
    AllocationPlan plan =
        new LearnedAllocation(0, RoutingMethod.topK(topK), alpha).plan(selections);
    String ranks = Files.readString(dir.resolve("rank.json"));
    String experts = Files.readString(dir.resolve("expert.json"));
    ReleasedPlanFormat format =
        new ReleasedPlanFormat(paths(GoldenFiles.parse(dir.resolve("expert.json"))));
    assertThat(format.rankJson(plan)).isEqualTo(ranks);
    assertThat(format.expertJson(plan)).isEqualTo(experts);

    List<LinearModule> modules = selections.stream().map(GuidedSelection::module).toList();
    AllocationPlan read =
        format.read(
            ranks,
            experts,
            modules,
            LearnedAllocation.STRATEGY,
            new ExpertForm(RoutingMethod.topK(topK), Scaling.overRank(alpha)));
    assertThat(read).isEqualTo(plan);
    GoldenFiles.report("export/" + dir.getFileName(), 0);
  }

  @ParameterizedTest
  @MethodSource("runs")
  void plansOfTheSearchAreEqual(Path file) {
    JsonNode json = GoldenFiles.json(file);
    List<GuidedSelection> selections =
        selections(GoldenFiles.tensors(file), "final/base_model.model.", ".default_");
    AllocationPlan plan =
        new LearnedAllocation(
                json.get("seed").longValue(),
                RoutingMethod.topK(GoldenNetwork.topK(json)),
                GoldenNetwork.alpha(json))
            .plan(selections);
    ReleasedPlanFormat format = new ReleasedPlanFormat(GoldenNetwork.paths(json));
    assertThat(format.rankJson(plan).lines().toList()).isEqualTo(lines(json.get("rank_json")));
    assertThat(format.expertJson(plan).lines().toList()).isEqualTo(lines(json.get("expert_json")));
    GoldenFiles.report("bilevel/" + file.getFileName() + " plan", 0);
  }

  /** An export has no {@code arch}: its family is the one that lists modules in its order. */
  private static ModulePaths paths(JsonNode experts) {
    List<String> paths = new ArrayList<>();
    experts.fieldNames().forEachRemaining(paths::add);
    LinearModule up = new LinearModule(0, "up_proj", 0, 0);
    LinearModule down = new LinearModule(0, "down_proj", 0, 0);
    ModulePaths any = Decoder.PATHS;
    return paths.indexOf(any.inHead(up)) < paths.indexOf(any.inHead(down))
        ? Decoder.PATHS
        : GoldenNetwork.DOWN_BEFORE_UP;
  }

  private static List<String> lines(JsonNode json) {
    List<String> entries = new ArrayList<>();
    json.fields()
        .forEachRemaining(
            entry -> entries.add("    \"" + entry.getKey() + "\": " + entry.getValue()));
    List<String> lines = new ArrayList<>(List.of("{"));
    for (int i = 0; i < entries.size(); i++) {
      lines.add(entries.get(i) + (i + 1 < entries.size() ? "," : ""));
    }
    lines.add("}");
    return lines;
  }

  private static List<GuidedSelection> selections(
      Map<String, INDArray> tensors, String prefix, String suffix) {
    List<GuidedSelection> selections = new ArrayList<>();
    for (int layer = 0;
        tensors.containsKey(expertVector(prefix, new LinearModule(layer, "q_proj", 0, 0)));
        layer++) {
      for (String name : Decoder.MODULES) {
        LinearModule nameOnly = new LinearModule(layer, name, 0, 0);
        String path = prefix + Decoder.PATHS.inHead(nameOnly);
        float[] experts = tensors.get(expertVector(prefix, nameOnly)).toFloatVector();
        float[][] ranks = new float[experts.length][];
        for (int expert = 0; expert < experts.length; expert++) {
          ranks[expert] =
              tensors.get(path + ".expertlora_E_vector" + suffix + expert).toFloatVector();
        }
        int in = (int) tensors.get(path + ".lora_A" + suffix + "0.weight").size(1);
        int out = (int) tensors.get(path + ".lora_B" + suffix + "0.weight").size(0);
        LinearModule module = new LinearModule(layer, name, in, out);
        selections.add(new GuidedSelection(module, experts, ranks, new long[experts.length]));
      }
    }
    return selections;
  }

  private static String expertVector(String prefix, LinearModule module) {
    return prefix + Decoder.PATHS.inHead(module) + ".router_expert_vector.router_expert_vector";
  }
}
