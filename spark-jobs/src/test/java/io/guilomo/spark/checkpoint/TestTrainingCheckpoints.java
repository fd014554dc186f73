package io.guilomo.spark.checkpoint;

import static java.util.Map.entry;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.config.GuilomoConfig.ChangedKey;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class TestTrainingCheckpoints {
  /** A key, or without its section one of the section before it. */
  private static final Pattern DOCUMENTED_KEY = Pattern.compile("`([a-z-]*)(\\.[a-z-]+)`");

  /** Values that are not the default. */
  private static final Map<String, String> OTHER =
      Map.ofEntries(
          entry("run.seed", "7"),
          entry("model.family", "bert"),
          entry("model.precision", "bfloat16"),
          entry("data.task", "classification"),
          entry("data.labels", "[a,b]"),
          entry("lora-moe.target-modules", "[q_proj]"),
          entry("lora-moe.max-experts", "4"),
          entry("lora-moe.max-rank", "4"),
          entry("lora-moe.routing", "dense"),
          entry("lora-moe.top-k", "1"),
          entry("lora-moe.sharing", "shared-a"),
          entry("lora-moe.alpha", "8"),
          entry("lora-moe.scaling", "alpha-over-sqrt-rank"),
          entry("search.estimator", "straight-through"),
          entry("search.start-plan", "plan.json"));

  @Test
  void newValuesThatChangeTheTrainingArePointedOut() {
    assertThat(
            changes(
                "search.learning-rate=1e-3",
                "search.epochs=9",
                "search.recompute=blocks",
                "cluster.workers=3",
                "model.path=elsewhere",
                "finetune.epochs=3",
                "output.dir=elsewhere",
                "checkpoint.keep=5",
                "evaluate.batch-size=7"))
        .extracting(ChangedKey::toString)
        .containsExactly(
            "cluster.workers from 0 to 3",
            "model.path from  to elsewhere",
            "search.epochs from auto to 9",
            "search.learning-rate from 3.0E-4 to 0.001",
            "search.recompute from none to blocks");
    assertThat(changes("allocation.budget.parameters=9", "search.patience=2"))
        .extracting(ChangedKey::key)
        .containsExactly("allocation.budget.parameters", "search.patience");
    assertThat(changes()).isEmpty();
  }

  @ParameterizedTest
  @MethodSource("refused")
  void keysThatDecideTheParametersAreRefused(String key) {
    assertThat(OTHER).containsKey(key);
    assertThatThrownBy(() -> changes(key + "=" + OTHER.get(key), "search.epochs=9"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("Cannot resume from here: " + key + " from ")
        .hasMessageEndingWith(
            " has changed; give another run.id, or start over with checkpoint.resume=false");
  }

  static List<String> refused() {
    return TrainingCheckpoints.REFUSED;
  }

  @Test
  void refusedKeysAreDocumented() throws IOException {
    String row =
        Files.readAllLines(Path.of("../deploy/README.md")).stream()
            .filter(line -> line.contains("| refused: "))
            .findFirst()
            .orElseThrow();
    List<String> documented = new ArrayList<>();
    String section = "";
    for (MatchResult found : DOCUMENTED_KEY.matcher(row).results().toList()) {
      section = found.group(1).isEmpty() ? section : found.group(1);
      documented.add(section + found.group(2));
    }
    assertThat(documented).containsAll(TrainingCheckpoints.REFUSED);
  }

  @Test
  void keysOfOtherJobsAreNotRefused() {
    assertThat(
            TrainingCheckpoints.changes(
                "here",
                GuilomoConfig.load(null, List.of()),
                GuilomoConfig.load(
                    null,
                    List.of(
                        "search.estimator=straight-through",
                        "search.start-plan=plan.json",
                        "search.patience=2",
                        "finetune.epochs=9")),
                List.of("search.")))
        .extracting(ChangedKey::key)
        .containsExactly("finetune.epochs");
  }

  private static List<ChangedKey> changes(String... overrides) {
    return TrainingCheckpoints.changes(
        "here",
        GuilomoConfig.load(null, List.of()),
        GuilomoConfig.load(null, List.of(overrides)),
        List.of("finetune."));
  }
}
