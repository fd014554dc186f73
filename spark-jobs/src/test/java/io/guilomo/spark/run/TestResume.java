package io.guilomo.spark.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.model.Sharing;
import io.guilomo.spark.finetune.FinetuneJob;
import io.guilomo.spark.search.AllocateJob;
import io.guilomo.spark.table.GsvHistoryTable;
import io.guilomo.spark.table.MetricsTable;
import io.guilomo.spark.table.PlanExpertsTable;
import io.guilomo.spark.table.Table;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Jobs that stop half-way and are submitted again, on a small real encoder. */
class TestResume extends OnResumedJobs {

  @Test
  void aSearchThatGoesOnEndsAsOneThatWasNotStopped() throws IOException {
    AllocateJob.Result whole = jobs.allocate("whole", Integer.MAX_VALUE);
    assertThatThrownBy(() -> jobs.allocate("stopped", 2)).hasMessage("stopped after round 2");
    assertThat(jobs.status("stopped")).containsExactly("FAILED");
    assertThat(jobs.checkpoints("stopped/checkpoints/allocate/seed-42"))
        .containsExactly("round-00000001", "round-00000002");

    jobs.messages().clear();
    // What is recomputed may change: it changes nothing else.
    AllocateJob.Result resumed =
        jobs.allocate("stopped", Integer.MAX_VALUE, "search.recompute=blocks");
    assertThat(jobs.messages())
        .contains(
            "resuming with a changed key: search.recompute from none to blocks",
            "resuming after round 2 of 3");
    assertThat(resumed.plan()).isEqualTo(whole.plan());
    assertThat(resumed.searches()).isEqualTo(whole.searches());
    for (Table<?> table :
        List.of(GsvHistoryTable.INSTANCE, PlanExpertsTable.INSTANCE, MetricsTable.INSTANCE)) {
      assertThat(jobs.values(table, "stopped")).isEqualTo(jobs.values(table, "whole")).isNotEmpty();
    }
    assertThat(jobs.status("stopped")).containsExactly("SUCCEEDED");

    // It has ended: submitted again it begins anew.
    jobs.messages().clear();
    assertThat(jobs.allocate("stopped", Integer.MAX_VALUE).plan()).isEqualTo(whole.plan());
    assertThat(jobs.messages()).noneMatch(line -> line.startsWith("resuming"));
  }

  @Test
  void ofSeveralSearchesOverInt8WeightsEachGoesOnWhereItWas() throws IOException {
    String[] settings = {"search.seeds=[7, 42]", "model.precision=int8"};
    AllocateJob.Result whole = jobs.allocate("whole", Integer.MAX_VALUE, settings);
    assertThatThrownBy(() -> jobs.allocate("stopped", 3, settings))
        .hasMessage("stopped after round 3");
    AllocateJob.Result resumed = jobs.allocate("stopped", Integer.MAX_VALUE, settings);
    assertThat(resumed.searches()).isEqualTo(whole.searches());
    assertThat(jobs.values(MetricsTable.INSTANCE, "stopped"))
        .isEqualTo(jobs.values(MetricsTable.INSTANCE, "whole"));
  }

  @Test
  void changedSettingsArePointedOutOrRefused() throws IOException {
    assertThatThrownBy(() -> jobs.allocate("stopped", 1)).hasMessage("stopped after round 1");
    assertThatThrownBy(() -> jobs.allocate("stopped", 9, "lora-moe.max-rank=3"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("Cannot resume from ")
        .hasMessageEndingWith(
            "after round 1: lora-moe.max-rank from 2 to 3 has changed; give another run.id, or start"
                + " over with checkpoint.resume=false");
    assertThatThrownBy(() -> jobs.allocate("stopped", 9, "model.precision=int8"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("after round 1: model.precision from float32 to int8 has changed;");
    jobs.messages().clear();
    AllocateJob.Result longer =
        jobs.allocate("stopped", 99, "search.epochs=2", "cluster.averaging-frequency=3");
    assertThat(jobs.messages())
        .contains(
            "resuming with a changed key: search.epochs from 1 to 2",
            "resuming with a changed key: cluster.averaging-frequency from 2 to 3",
            // 2 of 10 steps are done; the other 8 make three rounds.
            "resuming after round 1 of 4");
    assertThat(longer.plan().modules()).isNotEmpty();
    jobs.messages().clear();
    jobs.allocate("stopped", 99, "lora-moe.max-rank=3", "checkpoint.resume=false");
    assertThat(jobs.messages()).noneMatch(line -> line.startsWith("resuming"));
  }

  @Test
  void aFineTuningThatGoesOnEndsAsOneThatWasNotStopped() throws IOException {
    for (String run : List.of("whole", "stopped")) {
      jobs.allocate(run, 99, "allocation.strategy=uniform");
    }
    FinetuneJob.Result whole = jobs.finetune("whole", 99);
    assertThatThrownBy(() -> jobs.finetune("stopped", 4)).hasMessage("stopped after round 4");
    jobs.messages().clear();
    FinetuneJob.Result resumed = jobs.finetune("stopped", 99);
    // Round 3 ends the first epoch: there is a checkpoint after it.
    assertThat(jobs.messages()).contains("resuming after round 3 of 5");
    assertThat(resumed.outcome().best()).isEqualTo(whole.outcome().best());
    assertThat(resumed.outcome().last()).isEqualTo(whole.outcome().last());
    assertThat(resumed.outcome().tokens()).isEqualTo(whole.outcome().tokens());
    assertThat(output.resolve("runs/stopped/adapter/adapter.safetensors"))
        .hasSameBinaryContentAs(output.resolve("runs/whole/adapter/adapter.safetensors"));
    assertThat(jobs.values(MetricsTable.INSTANCE, "stopped"))
        .isEqualTo(jobs.values(MetricsTable.INSTANCE, "whole"));
  }

  @Test
  void ofSeveralAdaptersTheFinishedStayAndTheNextGoesOn() throws IOException {
    String seeds = "finetune.seeds=[7, 42]";
    for (String run : List.of("whole", "stopped")) {
      jobs.allocate(run, 99, "allocation.strategy=uniform");
    }
    FinetuneJob.Result whole = jobs.finetune("whole", 99, seeds);
    assertThatThrownBy(() -> jobs.finetune("stopped", 9, seeds))
        .hasMessage("stopped after round 9");
    jobs.messages().clear();
    FinetuneJob.Result resumed = jobs.finetune("stopped", 99, seeds);
    assertThat(jobs.messages())
        .contains("resuming after round 5 of 5", "seed 42: 2 of 2", "resuming after round 3 of 5");
    for (int member = 0; member < 2; member++) {
      assertThat(resumed.members().get(member).outcome().best())
          .isEqualTo(whole.members().get(member).outcome().best());
    }
    for (String adapter : List.of("adapter", "adapter-seed-42", "adapter-seed-42-last")) {
      assertThat(output.resolve("runs/stopped/" + adapter + "/adapter.safetensors"))
          .hasSameBinaryContentAs(output.resolve("runs/whole/" + adapter + "/adapter.safetensors"));
    }
    assertThat(jobs.values(MetricsTable.INSTANCE, "stopped"))
        .isEqualTo(jobs.values(MetricsTable.INSTANCE, "whole"));
  }

  private void stopInTheLastOfThreeSeeds() throws IOException {
    jobs.allocate("stopped", 99, "allocation.strategy=uniform");
    assertThatThrownBy(() -> jobs.finetune("stopped", 14, "finetune.seeds=[7, 42, 8]"))
        .hasMessage("stopped after round 14");
  }

  @Test
  void adaptersStayThoseOfTheirSeeds() throws IOException {
    stopInTheLastOfThreeSeeds();
    Path run = output.resolve("runs/stopped");
    byte[] first = Files.readAllBytes(run.resolve("adapter/adapter.safetensors"));
    byte[] second = Files.readAllBytes(run.resolve("adapter-seed-42/adapter.safetensors"));
    for (String seeds : List.of("[42, 8]", "[9]", "[42, 7, 8]", "[]")) {
      assertThatThrownBy(() -> jobs.finetune("stopped", 99, "finetune.seeds=" + seeds))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageMatching(
              "Cannot resume from \\S+/seed-\\d+: the first seed was 7 and is \\d+ now, and the run's"
                  + " own adapter is that of the first; put 7 first again, give another run.id, or"
                  + " start over with checkpoint.resume=false");
    }
    assertThat(run.resolve("adapter-seed-42/adapter.safetensors")).hasBinaryContent(second);

    // Others may go and come.
    FinetuneJob.Result resumed = jobs.finetune("stopped", 4, "finetune.seeds=[7, 8]");
    assertThat(resumed.members()).extracting(FinetuneJob.Member::seed).containsExactly(7L, 8L);
    assertThat(run.resolve("adapter/adapter.safetensors")).hasBinaryContent(first);
    assertThat(run.resolve("adapter-seed-42")).doesNotExist();
  }

  @Test
  void aSeedThatWasLeftOutIsTrainedAnew() throws IOException {
    stopInTheLastOfThreeSeeds();
    Path second = output.resolve("runs/stopped/adapter-seed-42/adapter.safetensors");
    byte[] before = Files.readAllBytes(second);
    assertThatThrownBy(() -> jobs.finetune("stopped", 1, "finetune.seeds=[7, 8]"))
        .hasMessage("stopped after round 1");
    assertThat(second).doesNotExist();
    FinetuneJob.Result resumed = jobs.finetune("stopped", 99, "finetune.seeds=[7, 42]");
    assertThat(resumed.members()).extracting(FinetuneJob.Member::seed).containsExactly(7L, 42L);
    assertThat(second).hasBinaryContent(before);
  }

  @Test
  void expertsThatShareAGoOnToo() throws IOException {
    String shared = "lora-moe.sharing=shared-a";
    AllocateJob.Result whole = jobs.allocate("whole", 99, shared);
    assertThatThrownBy(() -> jobs.allocate("stopped", 2, shared))
        .hasMessage("stopped after round 2");
    assertThatThrownBy(() -> jobs.allocate("stopped", 99))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("lora-moe.sharing from shared-a to none has changed;");
    AllocateJob.Result resumed = jobs.allocate("stopped", 99, shared);
    assertThat(resumed.searches()).isEqualTo(whole.searches());
    assertThat(resumed.plan()).isEqualTo(whole.plan());
    assertThat(resumed.plan().sharing()).isEqualTo(Sharing.SHARED_A);
    assertThat(jobs.values(GsvHistoryTable.INSTANCE, "stopped"))
        .isEqualTo(jobs.values(GsvHistoryTable.INSTANCE, "whole"));
    // Fine-tuning follows the plan.
    jobs.finetune("whole", 99);
    assertThatThrownBy(() -> jobs.finetune("stopped", 4)).hasMessage("stopped after round 4");
    jobs.finetune("stopped", 99);
    assertThat(output.resolve("runs/stopped/adapter/adapter.safetensors"))
        .hasSameBinaryContentAs(output.resolve("runs/whole/adapter/adapter.safetensors"));
    assertThat(jobs.values(MetricsTable.INSTANCE, "stopped"))
        .isEqualTo(jobs.values(MetricsTable.INSTANCE, "whole"));
  }

  @Test
  void aGivenPlanIsInAllFilesOfTheRun() throws IOException {
    jobs.allocate("own", 99, "allocation.strategy=uniform");
    jobs.allocate("given", 99, "allocation.strategy=uniform", "allocation.rank=1");
    Path given = output.resolve("runs/given");
    assertThatThrownBy(() -> jobs.finetune("own", 0, "finetune.plan=" + given.resolve("plan.json")))
        .hasMessage("stopped after round 0");
    for (String file : List.of("plan.json", "rank.json", "expert.json")) {
      assertThat(output.resolve("runs/own/" + file)).hasSameTextualContentAs(given.resolve(file));
    }
  }

  @Test
  void anotherPlanIsNotResumedWith() throws IOException {
    jobs.allocate("stopped", 99, "allocation.strategy=uniform");
    assertThatThrownBy(() -> jobs.finetune("stopped", 4)).hasMessage("stopped after round 4");
    jobs.allocate("stopped", 99, "allocation.strategy=uniform", "allocation.rank=1");
    assertThatThrownBy(() -> jobs.finetune("stopped", 99))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageMatching(
            "Cannot resume from the checkpoint after round 3: model, pooling, plan or classes have changed \\(it"
                + " has \\d+ parameters, the network has \\d+\\); give another run.id, or start over"
                + " with checkpoint.resume=false");
  }
}
