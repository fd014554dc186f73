package io.guilomo.spark.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.config.GuilomoConfig.ChangedKey;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TestTrainingCheckpoints {

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
  @ValueSource(
      strings = {
        "run.seed=7",
        "model.family=bert",
        "data.task=classification",
        "data.labels=[a,b]",
        "lora-moe.target-modules=[q_proj]",
        "lora-moe.max-experts=4",
        "lora-moe.max-rank=4",
        "lora-moe.top-k=1",
        "lora-moe.sharing=shared-a",
        "lora-moe.alpha=8",
        "search.start-plan=plan.json"
      })
  void keysThatDecideTheParametersAreRefused(String change) {
    assertThatThrownBy(() -> changes(change, "search.epochs=9"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith(
            "Cannot resume from here: " + change.substring(0, change.indexOf('=')) + " from ")
        .hasMessageEndingWith(
            " has changed; give another run.id, or start over with checkpoint.resume=false");
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
