package io.guilomo.spark.report;

import static org.apache.spark.sql.functions.avg;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.first;
import static org.apache.spark.sql.functions.greatest;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.max;
import static org.apache.spark.sql.functions.sum;
import static org.apache.spark.sql.functions.when;

import io.guilomo.model.ModuleExperts;
import io.guilomo.spark.table.GsvHistoryTable;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.ToLongFunction;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.expressions.Window;

/**
 * What the GuidedSelection Vectors (GSVs) chose in the searches of a run, and the entries of the
 * search that is shown.
 *
 * @param expected whether the vectors are distributions over counts, whose medians are the choices
 * @param least fewest experts that are allocated to a module
 * @param planned whether they started from a plan; at random or all alike otherwise
 * @param seed seed of the search that is shown: the smallest
 * @param lastRounds last round of each seed
 * @param stride every how many rounds a point is drawn; the last round always is
 * @param choices in the rounds drawn of the search that is shown, and in the first and the last
 *     round of the others
 * @param entries of the search that is shown, by kind, index and round
 */
record SelectionHistory(
    boolean expected,
    int least,
    boolean planned,
    long seed,
    Map<Long, Long> lastRounds,
    long stride,
    List<Choices> choices,
    List<MeanEntry> entries) {

  /**
   * Choices of one kind in one layer.
   *
   * @param chosen sum of the numbers of experts, or of the ranks
   * @param moved how many choices differ from those at the start of the search
   * @param all number of choices
   */
  record Choices(
      long seed, String kind, int layer, long round, long chosen, long moved, long all) {}

  /** Mean of one entry over all vectors of its kind. */
  record MeanEntry(String kind, int index, long round, double value) {}

  static Optional<SelectionHistory> of(Dataset<Row> gsvHistory, boolean expected, boolean planned) {
    Map<Long, Long> lastRounds = new TreeMap<>();
    int candidates = 1;
    Column experts = when(col("kind").equalTo(GsvHistoryTable.EXPERTS), col("index").plus(1));
    for (Row row : gsvHistory.groupBy("seed").agg(max("round"), max(experts)).collectAsList()) {
      lastRounds.put(row.getLong(0), row.getLong(1));
      candidates = Math.max(candidates, row.isNullAt(2) ? 0 : row.getInt(2));
    }
    int least = ModuleExperts.minExperts(candidates);
    if (lastRounds.isEmpty()) {
      return Optional.empty();
    }
    long seed = lastRounds.keySet().iterator().next();
    long stride = 1 + lastRounds.get(seed) / LineChart.POINTS;
    Column drawn =
        col("seed")
            .equalTo(seed)
            .and(
                col("round").mod(stride).equalTo(0).or(col("round").equalTo(lastRounds.get(seed))));
    return Optional.of(
        new SelectionHistory(
            expected,
            least,
            planned,
            seed,
            lastRounds,
            stride,
            choices(gsvHistory, drawn, lastRounds, least),
            entries(gsvHistory.filter(drawn))));
  }

  private static List<Choices> choices(
      Dataset<Row> gsvHistory, Column drawn, Map<Long, Long> lastRounds, int least) {
    Column needed = drawn;
    for (Map.Entry<Long, Long> last : lastRounds.entrySet()) {
      needed =
          needed.or(col("seed").equalTo(last.getKey()).and(col("round").isin(0L, last.getValue())));
    }
    Column choice =
        when(
                col("kind").equalTo(GsvHistoryTable.EXPERTS),
                greatest(lit(least), col("index").plus(1)))
            .otherwise(col("index").plus(1));
    Column begun =
        first("choice")
            .over(Window.partitionBy("seed", "layer", "module", "kind", "expert").orderBy("round"));
    return gsvHistory
        .filter(col("is_argmax").and(needed))
        .withColumn("choice", choice)
        .withColumn("moved", when(col("choice").notEqual(begun), 1).otherwise(0))
        .groupBy("seed", "kind", "layer", "round")
        .agg(sum("choice"), sum("moved"), count(lit(1)))
        .orderBy("seed", "kind", "layer", "round")
        .collectAsList()
        .stream()
        .map(
            row ->
                new Choices(
                    row.getLong(0),
                    row.getString(1),
                    row.getInt(2),
                    row.getLong(3),
                    row.getLong(4),
                    row.getLong(5),
                    row.getLong(6)))
        .toList();
  }

  private static List<MeanEntry> entries(Dataset<Row> drawn) {
    return drawn
        .groupBy("kind", "index", "round")
        .agg(avg("value"))
        .orderBy("kind", "index", "round")
        .collectAsList()
        .stream()
        .map(
            row -> new MeanEntry(row.getString(0), row.getInt(1), row.getLong(2), row.getDouble(3)))
        .toList();
  }

  /** Choices of the search that is shown. */
  List<Choices> shown() {
    return choices.stream().filter(row -> row.seed() == seed).toList();
  }

  /**
   * How many choices of all searches differ at their end from those at their start, ranks that the
   * plan left out included.
   */
  String changes() {
    String changes =
        expected
            ? "The search moved the median number of experts of %s of %s modules, and the median of"
                + " %s of %s ranks, "
                + (planned ? "from those of the plan it started from" : "all of which start alike")
                + "; the plan has the entries that are most likely to be in use."
            : "The search changed the number of experts of %s of %s modules, and %s of %s ranks; the"
                + " rest are still the "
                + (planned ? "choices of the plan" : "random choices")
                + " it started from.";
    return Numbers.format(
        changes,
        last(GsvHistoryTable.EXPERTS, Choices::moved),
        last(GsvHistoryTable.EXPERTS, Choices::all),
        last(GsvHistoryTable.RANK, Choices::moved),
        last(GsvHistoryTable.RANK, Choices::all));
  }

  /** A count at the end of every search. */
  private String last(String kind, ToLongFunction<Choices> value) {
    return Numbers.count(
        choices.stream()
            .filter(row -> row.kind().equals(kind) && row.round() == lastRounds.get(row.seed()))
            .mapToLong(value)
            .sum());
  }
}
