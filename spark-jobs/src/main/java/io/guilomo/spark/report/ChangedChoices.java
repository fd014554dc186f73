package io.guilomo.spark.report;

import io.guilomo.spark.report.SelectionHistory.Choices;
import io.guilomo.spark.table.GsvHistoryTable;
import java.util.List;
import java.util.function.ToLongFunction;

/**
 * How many choices of a search, or of all searches of a run, differ from the random ones at their
 * start.
 *
 * @param experts modules whose number of experts changed
 * @param modules number of modules
 * @param ranks candidate experts whose rank changed, including those that the plan left out
 * @param candidates number of candidate experts
 */
record ChangedChoices(long experts, long modules, long ranks, long candidates) {

  static ChangedChoices of(SelectionHistory history) {
    List<Choices> last = history.last();
    return new ChangedChoices(
        sum(last, GsvHistoryTable.EXPERTS, Choices::moved),
        sum(last, GsvHistoryTable.EXPERTS, Choices::all),
        sum(last, GsvHistoryTable.RANK, Choices::moved),
        sum(last, GsvHistoryTable.RANK, Choices::all));
  }

  private static long sum(List<Choices> rows, String kind, ToLongFunction<Choices> value) {
    return rows.stream().filter(row -> row.kind().equals(kind)).mapToLong(value).sum();
  }

  String sentence() {
    return Numbers.format(
        "The search changed the number of experts of %s of %s modules, and %s of %s ranks; the rest are still"
            + " the random choices it started from.",
        Numbers.count(experts),
        Numbers.count(modules),
        Numbers.count(ranks),
        Numbers.count(candidates));
  }
}
