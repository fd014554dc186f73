package io.guilomo.spark.compare;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.golden.GoldenFiles;
import io.guilomo.plan.AllocationPlan;
import io.guilomo.plan.AllocationPlanParser;
import io.guilomo.spark.SharedSparkSession;
import io.guilomo.spark.input.JobContext;
import io.guilomo.spark.progress.ProgressListener;
import io.guilomo.spark.run.Messages;
import io.guilomo.spark.table.RunsTable;
import io.guilomo.spark.table.TableReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** Comparisons on a small real decoder and few questions, with steps that are too few to learn. */
abstract class SmallComparison {

  /** What has been said so far; may be cleared. */
  final List<String> messages = new ArrayList<>();

  @TempDir Path output;
  private Path train;
  private Path test;

  @BeforeEach
  void chooseQuestions() throws IOException {
    train = ShortQuestions.of("train.jsonl", 20, output);
    test = ShortQuestions.of("validation.jsonl", 6, output);
  }

  CompareJob.Result compare(GuilomoConfig config) throws IOException {
    return compare(config, new Messages(messages));
  }

  /**
   * Compares until the driver dies.
   *
   * @param dyingAt part of a message at which it does
   */
  void compare(GuilomoConfig config, String dyingAt) throws IOException {
    compare(
        config,
        new Messages(messages) {
          @Override
          public void message(String line) {
            super.message(line);
            if (line.contains(dyingAt)) {
              throw new IllegalStateException("stopped");
            }
          }
        });
  }

  private static CompareJob.Result compare(GuilomoConfig config, ProgressListener listener)
      throws IOException {
    return new CompareJob(new JobContext(SharedSparkSession.session(), config, listener)).run();
  }

  /** When the jobs of a name had succeeded, by run. */
  Map<String, String> finished(String job) {
    Map<String, String> runs = new TreeMap<>();
    for (Row row :
        new TableReader(SharedSparkSession.session(), output.toString())
            .read(RunsTable.INSTANCE)
            .filter("status = 'SUCCEEDED' AND job = '" + job + "'")
            .collectAsList()) {
      runs.put(row.getAs("run_id"), row.getAs("finished_at").toString());
    }
    return runs;
  }

  /** A plan of the comparison. */
  AllocationPlan plan(String file) throws IOException {
    return AllocationPlanParser.fromJson(Files.readString(output.resolve("runs/c/" + file)));
  }

  GuilomoConfig config(String... overrides) {
    return GuilomoConfig.load(
            null,
            List.of(
                "run.id=c",
                "output.dir=" + output,
                "model.path=" + GoldenFiles.models().resolve("stories260K-hf"),
                "model.max-length=512",
                "data.task=multiple-choice",
                "data.train=" + train,
                "data.validation-fraction=0.3",
                "evaluate.data=" + test,
                "evaluate.methods=[choices]",
                "evaluate.bootstrap-samples=20",
                "lora-moe.target-modules=[q_proj,v_proj]",
                "lora-moe.max-experts=3",
                "lora-moe.max-rank=3",
                "search.epochs=1",
                "search.batch-size=8",
                "search.warmup-steps=1",
                "finetune.steps=2",
                "finetune.batch-size=4",
                "finetune.warmup-steps=1",
                "finetune.learning-rate=1e-2",
                "finetune.validate-every-steps=2",
                "cluster.workers=1",
                "cluster.threads-per-worker=1",
                "cluster.averaging-frequency=2",
                "checkpoint.every-rounds=0"))
        .with(List.of(overrides));
  }
}
