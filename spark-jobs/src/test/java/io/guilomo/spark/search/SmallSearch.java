package io.guilomo.spark.search;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.golden.GoldenFiles;
import io.guilomo.spark.SharedSparkSession;
import io.guilomo.spark.input.JobContext;
import io.guilomo.spark.progress.ProgressListener;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Allocations to a small real decoder, on few questions.
 *
 * @param output where runs are written, and the questions
 */
record SmallSearch(Path output, ProgressListener listener) {

  static final int MODULES = 7 * 5;
  static final int EXPERTS = 3;
  static final int RANKS = 2;

  /**
   * Five steps of two workers that have 20 records each, four to a step, averaged after every
   * second.
   */
  static final int ROUNDS = 3;

  AllocateJob.Result run(String runId, String... overrides) throws IOException {
    Path data = GoldenFiles.data().resolve("scienceqa_mola_sample");
    List<String> settings =
        new ArrayList<>(
            List.of(
                "run.id=" + runId,
                "output.dir=" + output,
                "model.path=" + GoldenFiles.models().resolve("stories260K-hf"),
                "model.max-length=48",
                "data.task=multiple-choice",
                "data.train=" + head(data.resolve("train.jsonl"), 40),
                "data.validation=" + head(data.resolve("validation.jsonl"), 12),
                // The questions are longer than what is read of them here.
                "data.train-on-inputs=true",
                "lora-moe.max-experts=" + EXPERTS,
                "lora-moe.max-rank=" + RANKS,
                "search.epochs=1",
                "search.batch-size=4",
                "search.warmup-steps=1",
                "search.estimator=straight-through",
                "search.gsv-learning-rate=0.1",
                "cluster.workers=2",
                "cluster.threads-per-worker=1",
                "cluster.averaging-frequency=2"));
    settings.addAll(List.of(overrides));
    GuilomoConfig config = GuilomoConfig.load(null, settings);
    return new AllocateJob(new JobContext(SharedSparkSession.session(), config, listener), true)
        .run();
  }

  /** Written once: measurements are made again when the time of the last change is another. */
  private Path head(Path file, int lines) throws IOException {
    Path head = output.resolve(file.getFileName());
    if (Files.exists(head)) {
      return head;
    }
    try (Stream<String> all = Files.lines(file)) {
      return Files.write(head, all.limit(lines).toList());
    }
  }
}
