package io.guilomo.spark.report;

import io.guilomo.spark.report.SelectionHistory.Choices;
import io.guilomo.spark.table.GsvHistoryTable;
import java.util.List;
import java.util.function.ToLongFunction;

/**
 * How many choices a search, or all searches of a run, made other than the random ones that they
 * began with.
 *
 * @param experts modules that got another number of experts
 * @param modules all of them
 * @param ranks candidate experts whose rank is another, also of those that got no place in the plan
 * @param candidates all of them
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
        "The search changed %s of %s numbers of experts and %s of %s ranks; the others are the random ones it"
            + " began with.",
        Numbers.count(experts),
        Numbers.count(modules),
        Numbers.count(ranks),
        Numbers.count(candidates));
  }
}
