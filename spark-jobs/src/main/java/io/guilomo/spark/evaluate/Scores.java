package io.guilomo.spark.evaluate;

import io.guilomo.adapter.AdapterDescription;
import io.guilomo.config.EvaluateConfig;
import io.guilomo.config.EvaluateConfig.Uncertainty;
import io.guilomo.config.EvaluateConfig.UncertaintyConfig;
import io.guilomo.data.DataReport;
import io.guilomo.inference.Answer;
import io.guilomo.metric.Bootstrap;
import io.guilomo.metric.Interval;
import io.guilomo.metric.Metric;
import io.guilomo.metric.Scored;
import io.guilomo.model.Task;
import io.guilomo.spark.table.EvaluationsTable;
import io.guilomo.spark.table.EvaluationsTable.Evaluation;
import io.guilomo.spark.table.RecordScoresTable;
import io.guilomo.spark.table.RecordScoresTable.RecordScore;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** The metrics of scored records, with bootstrap confidence intervals. */
final class Scores {

  private static final int MOST_CHOICES = 26;

  /** Classes of {@link Metric#SEPARATION}. */
  private static final int INSIDE = 1;

  private static final int OUTSIDE = 0;

  private final List<ScoredRecord> records;
  private final List<ScoredRecord> outside;
  private final AdapterDescription description;
  private final UncertaintyConfig uncertainty;
  private final Bootstrap bootstrap;
  private final long seed;
  private final List<Evaluation> rows = new ArrayList<>();

  /**
   * @param outside records that are unlike those of the training, with {@link #outside} scores; may
   *     be none
   */
  Scores(
      List<ScoredRecord> records,
      List<ScoredRecord> outside,
      AdapterDescription description,
      EvaluateConfig config,
      long seed) {
    this.records = records;
    this.outside = outside;
    this.description = description;
    this.uncertainty = config.uncertainty();
    this.bootstrap = new Bootstrap(config.bootstrapSamples(), config.confidence(), seed);
    this.seed = seed;
  }

  /** The score of a record out of the domain, of which only the confidence counts. */
  static Scored outside(double confidence) {
    return new Scored(OUTSIDE, OUTSIDE, Double.NaN, confidence);
  }

  List<Evaluation> evaluations() {
    if (description.task() == Task.CLASSIFICATION) {
      answers(Answer.CLASSIFICATION, "", Metric.OF_CLASSES, description.labels().size());
      return rows;
    }
    if (!of(Answer.CHOICES).isEmpty()) {
      answers(
          Answer.CHOICES,
          EvaluationsTable.CHOICES,
          uncertainty.isAsked() ? List.of(Metric.ACCURACY, Metric.LOSS) : List.of(Metric.ACCURACY),
          MOST_CHOICES);
    }
    List<Scored> generated = of(Answer.GENERATION);
    if (!generated.isEmpty()) {
      add(EvaluationsTable.GENERATION_ACCURACY, Metric.ACCURACY, generated, MOST_CHOICES);
      add("generation_answered", Metric.ACCURACY, answered(generated), 1);
    }
    List<Scored> losses =
        records.stream()
            .filter(record -> !Double.isNaN(record.responseLoss()))
            .map(record -> new Scored(0, 0, record.responseLoss()))
            .toList();
    if (!losses.isEmpty()) {
      add(EvaluationsTable.LOSS, Metric.LOSS, losses, 1);
    }
    return rows;
  }

  /**
   * The metrics of answers with probabilities, and where they are asked for those of the
   * confidence. Where an uncertainty method changes the answers also those without it, and the
   * differences.
   *
   * @param alone method of the answers without uncertainty
   * @param prefix of the metrics' names
   */
  private void answers(String alone, String prefix, List<Metric> metrics, int classes) {
    List<Metric> all = new ArrayList<>(metrics);
    if (uncertainty.isAsked()) {
      all.addAll(Metric.OF_CONFIDENCE);
    }
    if (!outside.isEmpty()) {
      all.add(Metric.SEPARATION);
    }
    boolean changed = uncertainty.method() != Uncertainty.NONE;
    String method = changed ? uncertainty.method().toString() : alone;
    for (Metric metric : all) {
      add(prefix + metric.label(), metric, of(method, metric), classes);
    }
    for (Metric metric : changed ? all : List.<Metric>of()) {
      String name = prefix + metric.label();
      List<Scored> own = of(method, metric);
      List<Scored> others = of(alone, metric);
      add(EvaluationsTable.SINGLE + name, metric, others, classes);
      add(
          EvaluationsTable.DIFFERENCE + name,
          metric.of(own, classes) - metric.of(others, classes),
          bootstrap.difference(metric, own, others, classes),
          own.size());
    }
  }

  /** What a metric is computed of. */
  private List<Scored> of(String method, Metric metric) {
    if (metric != Metric.SEPARATION) {
      return of(method);
    }
    return Stream.concat(
            of(method).stream()
                .map(scored -> new Scored(INSIDE, INSIDE, Double.NaN, scored.confidence())),
            outside.stream().map(record -> record.scores().get(method)))
        .toList();
  }

  /** How each record was answered, as a table keeps it. */
  List<RecordScore> rows() {
    List<RecordScore> rows = new ArrayList<>();
    for (ScoredRecord record : records) {
      rows.addAll(rows(record, RecordScoresTable.TEST));
      if (!Double.isNaN(record.responseLoss())) {
        rows.add(
            new RecordScore(
                record.position(),
                RecordScoresTable.RESPONSE,
                null,
                record.responseLoss(),
                null,
                RecordScoresTable.TEST));
      }
    }
    for (ScoredRecord record : outside) {
      rows.addAll(rows(record, RecordScoresTable.OUT_OF_DOMAIN));
    }
    return rows;
  }

  private static List<RecordScore> rows(ScoredRecord record, String split) {
    List<RecordScore> rows = new ArrayList<>();
    record
        .scores()
        .forEach(
            (method, scored) ->
                rows.add(
                    new RecordScore(
                        record.position(),
                        method,
                        split.equals(RecordScoresTable.TEST) ? scored.correct() : null,
                        known(scored.loss()),
                        known(scored.confidence()),
                        split)));
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
    add(
        name,
        metric.of(scored, classes),
        bootstrap.interval(metric, scored, classes),
        scored.size());
  }

  private void add(String name, double value, Interval interval, int examples) {
    rows.add(
        new Evaluation(
            seed,
            description.plan().strategy(),
            RecordScoresTable.TEST,
            name,
            value,
            interval.low(),
            interval.high(),
            examples));
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
