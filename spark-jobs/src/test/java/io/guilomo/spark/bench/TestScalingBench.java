package io.guilomo.spark.bench;

import static org.assertj.core.api.Assertions.assertThat;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.golden.GoldenFiles;
import io.guilomo.spark.SharedSparkSession;
import io.guilomo.spark.bench.ScalingBench.Throughput;
import io.guilomo.spark.input.JobContext;
import io.guilomo.spark.run.Messages;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class TestScalingBench {

  @Test
  void measuresEachNumberOfWorkersOnTheSameData() throws Exception {
    Path data = GoldenFiles.data().resolve("scienceqa_mola_sample");
    GuilomoConfig config =
        GuilomoConfig.load(
            null,
            List.of(
                "model.path=" + GoldenFiles.models().resolve("stories260K-hf"),
                "model.max-length=16",
                "data.task=multiple-choice",
                "data.train=" + data.resolve("validation.jsonl"),
                "data.validation-fraction=0.3",
                "data.train-on-inputs=true",
                "lora-moe.target-modules=[q_proj]",
                "lora-moe.max-experts=2",
                "lora-moe.max-rank=1",
                "search.batch-size=2",
                "cluster.workers=3",
                "cluster.threads-per-worker=1",
                "cluster.averaging-frequency=2"));
    List<Throughput> measured =
        new ScalingBench(new JobContext(SharedSparkSession.session(), config, new Messages()))
            .run();
    assertThat(measured).extracting(Throughput::workers).containsExactly(1, 2, 3);
    assertThat(measured)
        .allSatisfy(
            one -> {
              assertThat(one.rounds()).isEqualTo(8);
              assertThat(one.stepsPerRound()).isEqualTo(2);
              // Every record is cut to 16 tokens: two batches of two records a step.
              assertThat(one.tokens()).isEqualTo(8L * 2 * 2 * 2 * 16 * one.workers());
              assertThat(one.averaging()).isBetween(0.0, one.seconds());
              assertThat(one.waiting()).isBetween(0.0, one.seconds());
              assertThat(one.bytes()).isPositive().isEqualTo(measured.get(0).bytes());
            });
    assertThat(measured.get(0).waiting()).isZero();
  }
}
