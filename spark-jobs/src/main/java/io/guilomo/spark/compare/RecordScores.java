package io.guilomo.spark.compare;

import static org.apache.spark.sql.functions.col;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.inference.Answer;
import io.guilomo.metric.Bootstrap;
import io.guilomo.metric.Interval;
import io.guilomo.metric.Metric;
import io.guilomo.metric.PairedDifference;
import io.guilomo.metric.Scored;
import io.guilomo.spark.table.EvaluationsTable;
import io.guilomo.spark.table.RecordScoresTable;
import io.guilomo.spark.table.Table;
import io.guilomo.spark.table.TableReader;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Row;

/**
 * How the records of the test data were answered, by run. With a single seed they say how much of a
 * difference between two trained models is chance of the records; of the chance of training they
 * say nothing.
 */
record RecordScores(Map<String, Map<String, TreeMap<Long, Scored>>> runs, Bootstrap bootstrap) {

  /** Right or wrong is all that accuracy asks. */
  private static final int CLASSES = 2;

  private static final int RIGHT = 1;

  /** By metric; the others are no means over records. */
  private static final Map<String, String> METHODS =
      Map.of(
          EvaluationsTable.ACCURACY, Answer.CLASSIFICATION,
          EvaluationsTable.CHOICES_ACCURACY, Answer.CHOICES,
          EvaluationsTable.GENERATION_ACCURACY, Answer.GENERATION);

  /** What resamples records as the configuration says. */
  static Bootstrap bootstrap(GuilomoConfig config) {
    return new Bootstrap(
        config.evaluate().bootstrapSamples(), config.evaluate().confidence(), config.run().seed());
  }

  /** Scores of all runs of a comparison. */
  static RecordScores read(TableReader reader, String comparison, Bootstrap bootstrap) {
    return read(reader, run -> run.startsWith(comparison + "."), bootstrap);
  }

  /** Scores of some runs. */
  static RecordScores read(TableReader reader, List<String> runs, Bootstrap bootstrap) {
    return read(reader, runs::contains, bootstrap);
  }

  private static RecordScores read(
      TableReader reader, Predicate<String> which, Bootstrap bootstrap) {
    Map<String, Map<String, TreeMap<Long, Scored>>> runs = new HashMap<>();
    Column scored = col("split").isNull().or(col("split").equalTo(RecordScoresTable.TEST));
    for (Row row : reader.read(RecordScoresTable.INSTANCE, which).filter(scored).collectAsList()) {
      Boolean correct = row.getAs("correct");
      Double loss = row.getAs("loss");
      runs.computeIfAbsent(row.getAs(Table.RUN_ID), run -> new HashMap<>())
          .computeIfAbsent(row.getAs("method"), method -> new TreeMap<>())
          .put(
              row.getAs("position"),
              new Scored(
                  RIGHT,
                  correct == null || correct ? RIGHT : Scored.UNANSWERED,
                  loss == null ? Double.NaN : loss));
    }
    return new RecordScores(runs, bootstrap);
  }

  /**
   * The interval of {@code metric(run) − metric(other)}, resampling the records that both answered;
   * empty if the metric is no mean over records or there are none.
   */
  Optional<Interval> difference(String metric, String run, String other) {
    boolean loss = metric.equals(EvaluationsTable.LOSS);
    if (!loss && !METHODS.containsKey(metric)) {
      return Optional.empty();
    }
    Map<Long, Scored> own = loss ? losses(run) : scored(run, METHODS.get(metric));
    Map<Long, Scored> others = loss ? losses(other) : scored(other, METHODS.get(metric));
    List<Scored> first = new ArrayList<>();
    List<Scored> second = new ArrayList<>();
    own.forEach(
        (position, scored) -> {
          if (others.containsKey(position)) {
            first.add(scored);
            second.add(others.get(position));
          }
        });
    return first.isEmpty()
        ? Optional.empty()
        : Optional.of(
            bootstrap.difference(loss ? Metric.LOSS : Metric.ACCURACY, first, second, CLASSES));
  }

  /**
   * By how much the loss of each record is above the same record's with other runs, means over the
   * runs, as a share of the others' mean loss; empty if they share no records with losses.
   */
  Optional<PairedDifference> gap(List<String> of, List<String> others) {
    Map<Long, Double> own = meanLosses(of);
    Map<Long, Double> theirs = meanLosses(others);
    own.keySet().retainAll(theirs.keySet());
    theirs.keySet().retainAll(own.keySet());
    if (own.isEmpty()) {
      return Optional.empty();
    }
    double mean = theirs.values().stream().mapToDouble(loss -> loss).average().orElseThrow();
    return Optional.of(
        PairedDifference.of(
            own.values().stream().mapToDouble(loss -> loss / mean).toArray(),
            theirs.values().stream().mapToDouble(loss -> loss / mean).toArray()));
  }

  /** Mean losses of the records that all of the runs have scored, in their order. */
  private Map<Long, Double> meanLosses(List<String> of) {
    Map<Long, Double> sums = new TreeMap<>();
    losses(of.get(0)).keySet().forEach(position -> sums.put(position, 0.0));
    for (String run : of) {
      Map<Long, Scored> scored = losses(run);
      sums.keySet().retainAll(scored.keySet());
      sums.replaceAll((position, sum) -> sum + scored.get(position).loss() / of.size());
    }
    sums.values().removeIf(loss -> !Double.isFinite(loss));
    return sums;
  }

  /** A language model's loss is that of the right response, a classifier's that of its class. */
  private Map<Long, Scored> losses(String run) {
    Map<Long, Scored> responses = scored(run, RecordScoresTable.RESPONSE);
    return responses.isEmpty() ? scored(run, Answer.CLASSIFICATION) : responses;
  }

  private Map<Long, Scored> scored(String run, String method) {
    return runs.getOrDefault(run, Map.of()).getOrDefault(method, new TreeMap<>());
  }
}
