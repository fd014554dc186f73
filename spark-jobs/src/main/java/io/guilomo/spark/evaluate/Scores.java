package io.guilomo.spark.evaluate;

import io.guilomo.adapter.AdapterDescription;
import io.guilomo.config.EvaluateConfig;
import io.guilomo.data.DataReport;
import io.guilomo.inference.Answer;
import io.guilomo.metric.Bootstrap;
import io.guilomo.metric.Interval;
import io.guilomo.metric.Metric;
import io.guilomo.metric.Scored;
import io.guilomo.model.Task;
import io.guilomo.spark.table.EvaluationsTable.Evaluation;
import io.guilomo.spark.table.RecordScoresTable;
import io.guilomo.spark.table.RecordScoresTable.RecordScore;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The metrics of scored records, with bootstrap confidence intervals. */
final class Scores {

  private static final int MOST_CHOICES = 26;

  private final List<ScoredRecord> records;
  private final AdapterDescription description;
  private final Bootstrap bootstrap;
  private final long seed;
  private final String split;
  private final List<Evaluation> rows = new ArrayList<>();

  Scores(
      List<ScoredRecord> records,
      AdapterDescription description,
      EvaluateConfig config,
      long seed,
      String split) {
    this.records = records;
    this.description = description;
    this.bootstrap = new Bootstrap(config.bootstrapSamples(), config.confidence(), seed);
    this.seed = seed;
    this.split = split;
  }

  List<Evaluation> evaluations() {
    if (description.task() == Task.CLASSIFICATION) {
      List<Scored> scored = of(Answer.CLASSIFICATION);
      for (Metric metric : Metric.values()) {
        add(metric.label(), metric, scored, description.labels().size());
      }
      return rows;
    }
    List<Scored> chosen = of(Answer.CHOICES);
    if (!chosen.isEmpty()) {
      add("choices_accuracy", Metric.ACCURACY, chosen, MOST_CHOICES);
    }
    List<Scored> generated = of(Answer.GENERATION);
    if (!generated.isEmpty()) {
      add("generation_accuracy", Metric.ACCURACY, generated, MOST_CHOICES);
      add("generation_answered", Metric.ACCURACY, answered(generated), 1);
    }
    List<Scored> losses =
        records.stream()
            .filter(record -> !Double.isNaN(record.responseLoss()))
            .map(record -> new Scored(0, 0, record.responseLoss()))
            .toList();
    if (!losses.isEmpty()) {
      add("loss", Metric.LOSS, losses, 1);
    }
    return rows;
  }

  /** How each record was answered, as a table keeps it. */
  static List<RecordScore> rows(List<ScoredRecord> records) {
    List<RecordScore> rows = new ArrayList<>();
    for (ScoredRecord record : records) {
      record
          .scores()
          .forEach(
              (method, scored) ->
                  rows.add(
                      new RecordScore(
                          record.position(), method, scored.correct(), known(scored.loss()))));
      if (!Double.isNaN(record.responseLoss())) {
        rows.add(
            new RecordScore(
                record.position(), RecordScoresTable.RESPONSE, null, record.responseLoss()));
      }
    }
    return rows;
  }

  private static Double known(double loss) {
    return Double.isNaN(loss) ? null : loss;
  }

  private List<Scored> of(String method) {
    return records.stream()
        .filter(record -> record.scores().containsKey(method))
        .map(record -> record.scores().get(method))
        .toList();
  }

  /** Whether there is an answer, right where there is one. */
  private static List<Scored> answered(List<Scored> scored) {
    return scored.stream()
        .map(s -> new Scored(0, s.predicted() == Scored.UNANSWERED ? Scored.UNANSWERED : 0, 0))
        .toList();
  }

  private void add(String name, Metric metric, List<Scored> scored, int classes) {
    Interval interval = bootstrap.interval(metric, scored, classes);
    rows.add(
        new Evaluation(
            seed,
            description.plan().strategy(),
            split,
            name,
            metric.of(scored, classes),
            interval.low(),
            interval.high(),
            scored.size()));
  }

  /**
   * How one record was answered.
   *
   * @param position in its file, from 1
   * @param scores by method
   * @param responseLoss {@code −log p} a token of the right response; {@code NaN} where it is not
   *     known
   * @param bad why it could not be asked; else null
   */
  public record ScoredRecord(
      long position, Map<String, Scored> scores, double responseLoss, DataReport.BadRecord bad)
      implements Serializable {}
}
