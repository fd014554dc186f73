package io.guilomo.config;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigObject;
import com.typesafe.config.ConfigUtil;
import com.typesafe.config.ConfigValue;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class TestReferenceConf {

  /** What is one component of a record and several keys, or named otherwise. */
  private static final Map<String, List<String>> NAMED_OTHERWISE =
      Map.of(
          "lora-moe.form",
          List.of("routing", "top-k", "sharing", "scaling", "alpha").stream()
              .map("lora-moe."::concat)
              .toList(),
          "data.columns",
          List.of("instruction", "input", "output", "answer", "question", "choices", "hint")
              .stream()
              .map("data.columns."::concat)
              .toList(),
          "data.records",
          List.of("data.train", "data.table", "data.query"),
          "data.validation-records",
          List.of("data.validation", "data.validation-table", "data.validation-query"),
          "evaluate.records",
          List.of("evaluate.data", "evaluate.table", "evaluate.query"),
          "allocation.budget-parameters",
          List.of("allocation.budget.parameters"),
          "compare.axes",
          List.of("compare.routings", "compare.sharings"),
          "tracking.mlflow-uri",
          List.of("tracking.mlflow.uri"),
          "tracking.mlflow-experiment",
          List.of("tracking.mlflow.experiment"),
          "evaluate.uncertainty",
          List.of(
              "evaluate.uncertainty",
              "evaluate.adapters",
              "evaluate.member-weights",
              "evaluate.laplace-samples",
              "evaluate.out-of-domain"));

  @Test
  void everyKeyHasAnExplanationOfOneLine() {
    Map<String, ConfigValue> keys = keys();
    assertThat(keys).hasSizeGreaterThan(40);
    keys.forEach(
        (key, value) ->
            assertThat(value.origin().comments())
                .as(key)
                .hasSize(1)
                .allSatisfy(
                    comment -> assertThat(comment.strip()).isNotEmpty().doesNotEndWith(".")));
  }

  @Test
  void everyKeyIsReadAndEveryComponentHasAKey() {
    TreeSet<String> read = new TreeSet<>();
    read(RunConfig.class, "run", read);
    read(OutputConfig.class, "output", read);
    read(ModelConfig.class, "model", read);
    read(DataConfig.class, "data", read);
    read(LoraMoeConfig.class, "lora-moe", read);
    read(SearchConfig.class, "search", read);
    read(AllocationConfig.class, "allocation", read);
    read(FinetuneConfig.class, "finetune", read);
    read(EvaluateConfig.class, "evaluate", read);
    read(GenerationConfig.class, "generation", read);
    read(CompareConfig.class, "compare", read);
    read(ClusterConfig.class, "cluster", read);
    read(KernelsConfig.class, "kernels", read);
    read(CheckpointConfig.class, "checkpoint", read);
    read(TrackingConfig.class, "tracking", read);
    for (String field :
        List.of("messages", "prompt", "completion", "sentence", "sentence2", "label")) {
      read.add("data.columns." + field);
    }

    assertThat(keys().keySet()).containsExactlyElementsOf(read);
  }

  private static void read(Class<? extends Record> section, String path, TreeSet<String> read) {
    for (RecordComponent component : section.getRecordComponents()) {
      String name = component.getName().replaceAll("([A-Z])", "-$1").toLowerCase(Locale.ROOT);
      String key = path + "." + name;
      read.addAll(NAMED_OTHERWISE.getOrDefault(key, List.of(key)));
    }
  }

  private static Map<String, ConfigValue> keys() {
    Map<String, ConfigValue> keys = new TreeMap<>();
    collect(new ArrayList<>(), GuilomoConfig.reference().getObject(GuilomoConfig.ROOT), keys);
    return keys;
  }

  private static void collect(
      List<String> path, ConfigObject object, Map<String, ConfigValue> keys) {
    object.forEach(
        (name, value) -> {
          List<String> key = new ArrayList<>(path);
          key.add(name);
          if (value instanceof ConfigObject section) {
            collect(key, section, keys);
          } else {
            keys.put(ConfigUtil.joinPath(key), value);
          }
        });
  }
}
