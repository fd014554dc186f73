package io.guilomo.spark.tracking;

import io.guilomo.spark.table.ComparisonTable;
import io.guilomo.spark.table.ComparisonTable.Compared;
import io.guilomo.spark.table.EvaluationsTable;
import io.guilomo.spark.table.MetricsTable;
import io.guilomo.spark.table.MetricsTable.Metric;
import io.guilomo.spark.table.MetricsTable.Part;
import io.guilomo.spark.table.Table;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * One value of a metric.
 *
 * @param step averaging round; 0 for what has no rounds
 * @param at milliseconds since 1970
 */
record MetricPoint(String name, long step, double value, long at) {

  /** What adds up over the workers. */
  private static final List<String> OF_ALL_WORKERS = List.of("tokens_per_second");

  private record Key(long seed, long round, String name) {}

  /** The values of one metric in one round, of each worker and of all. */
  private static final class Round {
    private final Map<Integer, List<Double>> workers = new LinkedHashMap<>();
    private long at;

    void add(Metric row) {
      workers.computeIfAbsent(row.worker(), worker -> new ArrayList<>()).add(row.value());
      at = row.moment().at().toEpochMilli();
    }

    /** Mean over the steps: of all workers where that was measured, else the workers' mean. */
    double value(String name) {
      if (OF_ALL_WORKERS.contains(name)) {
        return workers.entrySet().stream()
            .filter(worker -> worker.getKey() != MetricsTable.ALL_WORKERS)
            .mapToDouble(worker -> mean(worker.getValue()))
            .sum();
      }
      List<Double> all = workers.get(MetricsTable.ALL_WORKERS);
      return all != null
          ? mean(all)
          : workers.values().stream().mapToDouble(Round::mean).average().orElseThrow();
    }

    private static double mean(List<Double> values) {
      return values.stream().mapToDouble(value -> value).average().orElseThrow();
    }
  }

  /**
   * What the rows of a table say of the whole model: of {@code metrics} one value per round, of
   * {@code evaluations} and {@code comparison} the scores.
   *
   * @param ofSeeds whether the seed is part of the names
   * @param now milliseconds since 1970
   */
  static List<MetricPoint> of(Table<?> table, List<?> rows, boolean ofSeeds, long now) {
    List<MetricPoint> points = new ArrayList<>();
    if (table == MetricsTable.INSTANCE) {
      rounds(rows)
          .forEach(
              (key, round) ->
                  points.add(
                      new MetricPoint(
                          (ofSeeds ? "seed-" + key.seed() + "/" : "") + key.name(),
                          key.round(),
                          round.value(key.name().substring(key.name().indexOf('/') + 1)),
                          round.at)));
    } else if (table == EvaluationsTable.INSTANCE) {
      for (Object row : rows) {
        EvaluationsTable.Evaluation score = (EvaluationsTable.Evaluation) row;
        String name = score.split() + "/" + score.metric();
        points.add(new MetricPoint(name, 0, score.value(), now));
        points.add(new MetricPoint(name + "_ci_low", 0, score.ciLow(), now));
        points.add(new MetricPoint(name + "_ci_high", 0, score.ciHigh(), now));
      }
    } else if (table == ComparisonTable.INSTANCE) {
      List<Compared> scores = rows.stream().map(Compared.class::cast).toList();
      Function<Compared, String> names = ComparisonTable.names(scores);
      for (Compared score : scores) {
        Long budget = score.size().budget();
        // MLflow has no brackets and commas in names.
        String name = names.apply(score).replaceAll("[(),]", "");
        String setting = name + (budget == null ? "" : "/" + budget) + "/";
        points.add(new MetricPoint(setting + score.metric(), 0, score.score().mean(), now));
        points.add(new MetricPoint(setting + "parameters", 0, score.size().parameters(), now));
      }
    }
    return points.stream().distinct().toList();
  }

  private static Map<Key, Round> rounds(List<?> rows) {
    Map<Key, Round> rounds = new LinkedHashMap<>();
    for (Object each : rows) {
      Metric row = (Metric) each;
      if (row.part().equals(new Part(null, null, null))) {
        Key key =
            new Key(row.moment().seed(), row.moment().round(), row.split() + "/" + row.name());
        rounds.computeIfAbsent(key, absent -> new Round()).add(row);
      }
    }
    return rounds;
  }
}
