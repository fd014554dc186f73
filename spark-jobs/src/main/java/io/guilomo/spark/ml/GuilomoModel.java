package io.guilomo.spark.ml;

import io.guilomo.adapter.AdapterDescription;
import io.guilomo.config.EvaluateConfig.Uncertainty;
import io.guilomo.config.GuilomoConfig;
import io.guilomo.data.TextRecord;
import io.guilomo.inference.Answer;
import io.guilomo.inference.Predictor;
import io.guilomo.model.Task;
import io.guilomo.model.UserException;
import io.guilomo.spark.evaluate.AdaptedModel;
import io.guilomo.spark.evaluate.Batches;
import io.guilomo.spark.evaluate.ModelPool;
import io.guilomo.spark.input.AbsolutePaths;
import io.guilomo.spark.worker.Workers;
import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.apache.spark.sql.SparkSession;
import scala.collection.JavaConverters;

/**
 * A classifier as an adapter's directory holds it, which scores texts wherever it is sent. Tasks of
 * one process share what is opened there, see {@link ModelPool}.
 *
 * @param source the adapter, its backbone and how executors compute
 * @param labels of the classes, by number
 * @param batchSize texts that are scored together
 */
public record GuilomoModel(AdaptedModel.Source source, List<String> labels, int batchSize)
    implements Serializable {

  /** Settings of a session whose names begin so are keys of the configuration. */
  static final String PREFIX = "spark.guilomo.";

  /**
   * Looks at an adapter; the model itself is opened by the tasks.
   *
   * @param adapter directory of an adapter, such as {@code output/runs/RUN_ID/adapter}
   * @param settings {@code key=value} of the configuration, such as {@code evaluate.batch-size=16};
   *     settings {@code spark.guilomo.key} of the session hold for all others
   * @throws UserException if there is no adapter, or it is not one of a classifier
   */
  public static GuilomoModel of(SparkSession spark, String adapter, List<String> settings) {
    List<String> all = new ArrayList<>(ofSession(spark));
    all.addAll(settings);
    all.add("evaluate.adapter=" + adapter);
    GuilomoConfig config =
        AbsolutePaths.forExecutors(spark, GuilomoConfig.load(null, List.copyOf(all)));
    if (config.evaluate().uncertainty().method() != Uncertainty.NONE) {
      throw new UserException(
          "Cannot predict with guilomo.evaluate.uncertainty = %s here: one adapter answers; command"
              + " predict asks several",
          config.evaluate().uncertainty().method());
    }
    try {
      AdaptedModel.Source source =
          AdaptedModel.Source.of(
              config.evaluate().adapter(),
              config.model().path(),
              new Predictor.Options(
                  config.evaluate().methods(), config.generation(), config.run().seed()),
              Workers.ofAnyNumber(config, spark.sparkContext()).settings(spark.sparkContext()));
      AdapterDescription description = source.summary().description();
      if (description.task() != Task.CLASSIFICATION) {
        throw new UserException(
            "Cannot predict labels with the adapter %s: it was trained for task %s; command predict"
                + " asks it",
            adapter, description.task());
      }
      return new GuilomoModel(source, description.labels(), config.evaluate().batchSize());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The keys of the configuration among the settings of a session, each {@code key=value}. */
  static List<String> ofSession(SparkSession spark) {
    List<String> keys = new ArrayList<>();
    JavaConverters.mapAsJavaMap(spark.conf().getAll())
        .forEach(
            (name, value) -> {
              if (name.startsWith(PREFIX)) {
                keys.add(name.substring(PREFIX.length()) + "=" + value);
              }
            });
    return keys;
  }

  /**
   * The record that texts make.
   *
   * @param second of a pair; null or blank: the first is a single text
   * @return null if there is no text
   */
  public static TextRecord text(String first, String second) {
    if (first == null || first.isBlank()) {
      return null;
    }
    return second == null || second.isBlank()
        ? new TextRecord.Sentence(first, null)
        : new TextRecord.SentencePair(first, second, null);
  }

  /**
   * Scores texts together, whatever their number.
   *
   * @param texts as {@link #text} makes them, null where there is none
   * @return one answer per text; null where there is none
   */
  public List<Answer> score(List<TextRecord> texts) {
    try {
      return ModelPool.SHARED.with(source, model -> model.answerAny(texts));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Scores rows batch by batch.
   *
   * @param text of a row, null if it has none
   * @param result of a row and its answer, which is null if it has no text
   */
  <T, R> Iterator<R> score(
      Iterator<T> rows, Function<T, TextRecord> text, BiFunction<T, Answer, R> result) {
    return new Batches<>(
        rows,
        batchSize,
        batch -> {
          List<Answer> answers = score(batch.stream().map(text).toList());
          List<R> results = new ArrayList<>();
          for (int i = 0; i < answers.size(); i++) {
            results.add(result.apply(batch.get(i), answers.get(i)));
          }
          return results;
        },
        () -> {});
  }

  /** Two score the same if they are of the same adapter, backbone and batch size. */
  @Override
  public boolean equals(Object other) {
    return other instanceof GuilomoModel model
        && model.source.adapter().equals(source.adapter())
        && model.source.backbone().equals(source.backbone())
        && model.source.workers().device() == source.workers().device()
        && model.source.workers().precision() == source.workers().precision()
        && model.source.digest().equals(source.digest())
        && model.batchSize == batchSize;
  }

  @Override
  public int hashCode() {
    return source.digest().hashCode();
  }

  @Override
  public String toString() {
    return source.adapter();
  }
}
