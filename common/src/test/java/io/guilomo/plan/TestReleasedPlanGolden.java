package io.guilomo.plan;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.guilomo.backbone.LinearModule;
import io.guilomo.backbone.LlamaConfig;
import io.guilomo.golden.GoldenFiles;
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
  private static final ReleasedPlanFormat FORMAT = new ReleasedPlanFormat(StateDictOrder.LLAMA3);

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
    double alpha =
        GoldenFiles.parse(dir.resolve("adapter_config.json")).get("lora_alpha").doubleValue();
    List<GuidedSelection> selections = selections(tensors, "base_model.model.", "_");
    AllocationPlan plan = new LearnedAllocation(0, 2, alpha).plan(selections);
    String ranks = Files.readString(dir.resolve("rank.json"));
    String experts = Files.readString(dir.resolve("expert.json"));
    assertThat(FORMAT.rankJson(plan)).isEqualTo(ranks);
    assertThat(FORMAT.expertJson(plan)).isEqualTo(experts);

    List<LinearModule> modules = selections.stream().map(GuidedSelection::module).toList();
    AllocationPlan read =
        FORMAT.read(ranks, experts, modules, LearnedAllocation.STRATEGY, 2, alpha);
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
        new LearnedAllocation(json.get("seed").longValue(), 2, 16).plan(selections);
    assertThat(FORMAT.rankJson(plan).lines().toList()).isEqualTo(lines(json.get("rank_json")));
    assertThat(FORMAT.expertJson(plan).lines().toList()).isEqualTo(lines(json.get("expert_json")));
    GoldenFiles.report("bilevel/" + file.getFileName() + " plan", 0);
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
      for (String name : LlamaConfig.MODULES) {
        LinearModule nameOnly = new LinearModule(layer, name, 0, 0);
        String path = prefix + StateDictOrder.LLAMA3.path(nameOnly);
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
    return prefix
        + StateDictOrder.LLAMA3.path(module)
        + ".router_expert_vector.router_expert_vector";
  }
}
