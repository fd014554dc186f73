package io.guilomo.spark.evaluate;

import io.guilomo.adapter.Adapter;
import io.guilomo.adapter.UncertaintyFile;
import io.guilomo.config.EvaluateConfig.Uncertainty;
import io.guilomo.config.EvaluateConfig.UncertaintyConfig;
import io.guilomo.data.Example;
import io.guilomo.data.TokenBatch;
import io.guilomo.inference.Answer;
import io.guilomo.inference.Classifier;
import io.guilomo.metric.Scored;
import io.guilomo.model.Task;
import io.guilomo.model.UserException;
import io.guilomo.spark.data.ReadRecord;
import io.guilomo.spark.data.Shard;
import io.guilomo.spark.data.ShardedData;
import io.guilomo.spark.input.JobContext;
import io.guilomo.spark.input.JobData;
import io.guilomo.spark.progress.TaskProgress;
import io.guilomo.uncertainty.HeadCurvature;
import io.guilomo.uncertainty.HeadLaplace;
import io.guilomo.uncertainty.Temperature;
import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.api.java.JavaRDD;

/**
 * Fits what an uncertainty method needs and an adapter lacks: a Laplace approximation or a
 * temperature. It is made from the training or validation records when it is first asked for, and
 * kept.
 */
record UncertaintyFit(JobContext context, InferenceSetup setup) {

  /** The probabilities of a question's choices, and which is right. */
  private record Chosen(double[] probabilities, int right) implements Serializable {}

  /**
   * Makes what is missing.
   *
   * @throws UserException if there are no records to make it from
   */
  void ensure() throws IOException {
    UncertaintyConfig uncertainty = setup.ensemble().uncertainty();
    boolean classifies = setup.description().task() == Task.CLASSIFICATION;
    if (uncertainty.method() == Uncertainty.NONE
        || classifies && !uncertainty.method().isLaplace()) {
      return;
    }
    List<AdaptedModel.Source> missing = new ArrayList<>();
    for (AdaptedModel.Source source : setup.ensemble().sources()) {
      if (!source.uncertainty().isOf(source.digest())) {
        missing.add(source);
      }
    }
    if (missing.isEmpty()) {
      return;
    }
    if (context.config().data().records().isBlank()) {
      throw new UserException(
          "Cannot use guilomo.evaluate.uncertainty = %s: the adapter %s has no %s yet, which is made"
              + " from the records of its training; name them in guilomo.data.train",
          uncertainty.method(), missing.get(0).adapter(), UncertaintyFile.NAME);
    }
    if (classifies) {
      laplace(missing);
    } else {
      temperatures(missing);
    }
  }

  private void laplace(List<AdaptedModel.Source> missing) throws IOException {
    ShardedData data = new JobData(context).loadFor(setup.description(), setup.workers());
    int batchSize = context.config().evaluate().batchSize();
    for (AdaptedModel.Source source : missing) {
      Adapter adapter = source.read();
      HeadCurvature curvature;
      try (TaskProgress ignored = progress("approximating", setup.workers())) {
        curvature =
            data.shards()
                .mapPartitions(shards -> curvature(shards, source, batchSize))
                .treeReduce(HeadCurvature::plus);
      }
      HeadLaplace laplace =
          HeadLaplace.fit(
              curvature,
              adapter.headSquaredNorm(),
              UncertaintyFile.rank(adapter, curvature.features()));
      source.uncertainty().write(laplace, source.digest());
      context.message(
          String.format(
              "Laplace approximation of %s: %,d records, prior precision %.4g, log evidence %.1f,"
                  + " %d of %d directions",
              source.adapter(),
              curvature.records(),
              laplace.priorPrecision(),
              laplace.logEvidence(),
              laplace.inputValues().length,
              curvature.features()));
    }
    data.shards().unpersist();
  }

  private static Iterator<HeadCurvature> curvature(
      Iterator<Shard> shards, AdaptedModel.Source source, int batchSize) throws IOException {
    try (AdaptedModel model = AdaptedModel.open(source)) {
      Classifier classifier = new Classifier(model.network());
      HeadCurvature curvature = classifier.flat();
      while (shards.hasNext()) {
        List<Example> examples = Arrays.asList(shards.next().train());
        for (int from = 0; from < examples.size(); from += batchSize) {
          int to = Math.min(from + batchSize, examples.size());
          classifier.add(TokenBatch.of(examples.subList(from, to)), curvature);
        }
      }
      return List.of(curvature).iterator();
    }
  }

  private void temperatures(List<AdaptedModel.Source> missing) throws IOException {
    JavaRDD<ReadRecord> records =
        JobData.validation(context.spark(), context.config().data(), setup.parser())
            .repartition(setup.partitions());
    int batchSize = context.config().evaluate().batchSize();
    for (AdaptedModel.Source source : missing) {
      Ensemble alone = setup.ensemble().alone(source);
      List<Chosen> chosen;
      try (TaskProgress ignored = progress("fitting a temperature", setup.partitions())) {
        chosen =
            records
                .mapPartitions(part -> alone.map(part, batchSize, UncertaintyFit::chosen))
                .collect();
      }
      double temperature =
          Temperature.fit(
              chosen.stream().map(Chosen::probabilities).toList(),
              chosen.stream().map(Chosen::right).toList());
      source.uncertainty().write(temperature, source.digest());
      context.message(
          String.format(
              "temperature of the choices of %s: %.3f, from %,d validation records",
              source.adapter(), temperature, chosen.size()));
    }
  }

  private static List<Chosen> chosen(List<ReadRecord> batch, AdaptedModel model) {
    List<Chosen> chosen = new ArrayList<>();
    for (Answer answer : model.answerAny(batch.stream().map(ReadRecord::record).toList())) {
      Scored scored = answer == null ? null : answer.scores().get(Answer.CHOICES);
      if (scored != null) {
        chosen.add(
            new Chosen(
                answer.probabilities().values().stream().mapToDouble(p -> p).toArray(),
                scored.gold()));
      }
    }
    return chosen;
  }

  private TaskProgress progress(String what, int tasks) {
    return new TaskProgress(context.sparkContext(), context.progress(), what, tasks);
  }
}
