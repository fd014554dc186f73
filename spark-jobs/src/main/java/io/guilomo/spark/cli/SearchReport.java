package io.guilomo.spark.cli;

import io.guilomo.plan.AllocationPlan;
import io.guilomo.plan.ExpertPlan;
import io.guilomo.plan.ModulePlan;
import io.guilomo.spark.report.Numbers;
import io.guilomo.spark.round.ValidationResult;
import io.guilomo.spark.search.AllocateJob;
import io.guilomo.spark.search.SearchOutcome;
import java.util.IntSummaryStatistics;
import java.util.List;
import java.util.stream.Stream;

/**
 * The result of an allocation as text for the terminal: its plan and, for each search, how far it
 * moved from its random start and what it learned.
 */
final class SearchReport {

  private SearchReport() {}

  static String text(AllocateJob.Result result) {
    StringBuilder report = new StringBuilder(AllocationPlanPrinter.print(result.plan()));
    for (SearchOutcome search : result.searches()) {
      report
          .append(
              result.searches().size() > 1 ? Numbers.format("seed %d: ", search.plan().seed()) : "")
          .append(moved(search.initial(), search.plan()))
          .append(learned(search.before(), search.after()));
    }
    if (result.searches().size() > 1) {
      report.append(agreement(result.searches()));
    }
    return report.toString();
  }

  /** How well the plans of several seeds agree. */
  private static String agreement(List<SearchOutcome> searches) {
    List<ModulePlan> first = searches.get(0).plan().modules();
    int alike = 0;
    double spread = 0;
    for (int i = 0; i < first.size(); i++) {
      int module = i;
      IntSummaryStatistics experts =
          searches.stream()
              .mapToInt(search -> search.plan().modules().get(module).experts().size())
              .summaryStatistics();
      alike += experts.getMax() == experts.getMin() ? 1 : 0;
      spread += (double) (experts.getMax() - experts.getMin()) / first.size();
    }
    return Numbers.format(
        "the %d seeds agree on the number of experts of %d of %d modules; on average, the largest"
            + " and the smallest number of a module differ by %.1f\n",
        searches.size(), alike, first.size(), spread);
  }

  /** How many choices differ from the random ones that the search started from. */
  private static String moved(AllocationPlan initial, AllocationPlan learned) {
    int modules = 0;
    int ranks = 0;
    int rankVectors = 0;
    for (int i = 0; i < learned.modules().size(); i++) {
      ModulePlan from = initial.modules().get(i);
      ModulePlan to = learned.modules().get(i);
      modules += from.experts().size() == to.experts().size() ? 0 : 1;
      List<Integer> before = ranks(from);
      List<Integer> after = ranks(to);
      for (int expert = 0; expert < after.size(); expert++) {
        ranks += before.get(expert).equals(after.get(expert)) ? 0 : 1;
      }
      rankVectors += after.size();
    }
    return Numbers.format(
        "the search changed the number of experts of %d of %d modules, and %d of %d ranks\n",
        modules, learned.modules().size(), ranks, rankVectors);
  }

  /** Ranks of all candidates, including those that the plan left out. */
  private static List<Integer> ranks(ModulePlan plan) {
    return Stream.concat(
            plan.experts().stream().map(ExpertPlan::rank), plan.unallocatedRanks().stream())
        .toList();
  }

  private static String learned(ValidationResult before, ValidationResult after) {
    return Numbers.format(
        "validation loss %.4f before, %.4f after; accuracy %.1f %% before, %.1f %% after (%,d labels)\n",
        before.loss(),
        after.loss(),
        100 * before.accuracy(),
        100 * after.accuracy(),
        after.labels());
  }
}
