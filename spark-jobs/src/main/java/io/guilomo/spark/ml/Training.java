package io.guilomo.spark.ml;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.guilomo.config.GuilomoConfig;
import io.guilomo.spark.input.AbsolutePaths;
import io.guilomo.spark.input.JobContext;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.apache.spark.ml.param.Param;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.SparkSession;

/** What an estimator's parameters and rows make of a job. */
final class Training {

  private static final ObjectMapper JSON = new ObjectMapper();

  private Training() {}

  /** What is done with the records. */
  @FunctionalInterface
  interface Job<R> {
    R run(JobContext context) throws IOException;
  }

  /**
   * Runs a job on the rows of a data set.
   *
   * @param more further {@code key=value} of the configuration
   */
  static <R> R run(TrainingParams<?> params, Dataset<?> data, List<String> more, Job<R> job) {
    SparkSession spark = data.sparkSession();
    GuilomoConfig given =
        AbsolutePaths.forExecutors(spark, GuilomoConfig.load(null, keys(spark, params, more)));
    String runId =
        given.run().id().isEmpty()
            ? params.uid() + "-" + UUID.randomUUID().toString().substring(0, 8)
            : given.run().id();
    // A driver that was killed has left its own behind.
    String directory = given.output().dir() + "/fit/" + runId + "-" + UUID.randomUUID();
    try (TrainingRecords records = TrainingRecords.write(params, data, directory)) {
      GuilomoConfig config =
          given.with(
              List.of(
                  "run.id=" + runId,
                  "data.task=classification",
                  "data.train=" + directory,
                  "data.table=",
                  "data.query=",
                  "data.columns.sentence=",
                  "data.columns.sentence2=",
                  "data.columns.label=",
                  "data.format=parquet",
                  "data.labels=" + JSON.writeValueAsString(records.labels())));
      return job.run(new JobContext(spark, config, new LoggedProgress()));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The keys that are set: those of the session, of {@code settings}, and of the parameters. */
  private static List<String> keys(
      SparkSession spark, TrainingParams<?> params, List<String> more) {
    List<String> keys = new ArrayList<>(GuilomoModel.ofSession(spark));
    if (params.isDefined(params.settings())) {
      keys.addAll(List.of(params.getOrDefault(params.settings())));
    }
    add(keys, params, params.modelPath(), "model.path");
    add(keys, params, params.strategy(), "allocation.strategy");
    add(keys, params, params.budget(), "allocation.budget.parameters");
    add(keys, params, params.searchEpochs(), "search.epochs");
    add(keys, params, params.batchSize(), "search.batch-size");
    add(keys, params, params.batchSize(), "finetune.batch-size");
    add(keys, params, params.maxExperts(), "lora-moe.max-experts");
    add(keys, params, params.maxRank(), "lora-moe.max-rank");
    add(keys, params, params.seed(), "run.seed");
    add(keys, params, params.outputDir(), "output.dir");
    keys.addAll(more);
    return keys;
  }

  /** Adds the key of a parameter that is set. */
  static void add(List<String> keys, ScoringParams<?> params, Param<?> param, String key) {
    if (params.isDefined(param)) {
      keys.add(key + "=" + params.getOrDefault(param));
    }
  }
}
