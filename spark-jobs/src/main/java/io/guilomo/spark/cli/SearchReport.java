package io.guilomo.spark.cli;

import io.guilomo.plan.AllocationPlan;
import io.guilomo.plan.ExpertPlan;
import io.guilomo.plan.ModulePlan;
import io.guilomo.spark.job.AllocateJob;
import io.guilomo.spark.job.SearchOutcome;
import io.guilomo.spark.training.ValidationLoss;
import java.util.IntSummaryStatistics;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * What a search ended with, for the terminal: its plan, what became of the first one, and what was
 * learned.
 */
final class SearchReport {

  private SearchReport() {}

  static String print(AllocateJob.Result result) {
    StringBuilder report = new StringBuilder(AllocationPlanPrinter.print(result.plan()));
    for (SearchOutcome search : result.searches()) {
      report
          .append(result.searches().size() > 1 ? format("seed %d: ", search.plan().seed()) : "")
          .append(moved(search.initial(), search.plan()))
          .append(learned(search.before(), search.after()));
    }
    if (result.searches().size() > 1) {
      report.append(agreement(result.searches()));
    }
    return report.toString();
  }

  /** How far the plans of several seeds agree. */
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
    return format(
        "the %d seeds agree on the experts of %d of %d modules; between the most and the least of a module are %.1f"
            + " on average\n",
        searches.size(), alike, first.size(), spread);
  }

  /** How far the search went from the random plan that it began with. */
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
    return format(
        "the search changed the experts of %d of %d modules and %d of %d ranks\n",
        modules, learned.modules().size(), ranks, rankVectors);
  }

  /** Of all candidates, also of those that got no place in the plan. */
  private static List<Integer> ranks(ModulePlan plan) {
    return Stream.concat(
            plan.experts().stream().map(ExpertPlan::rank), plan.unallocatedRanks().stream())
        .toList();
  }

  private static String learned(ValidationLoss.Measured before, ValidationLoss.Measured after) {
    return format(
        "validation loss %.4f before, %.4f after; accuracy %.1f %% before, %.1f %% after (%,d labels)\n",
        before.loss(),
        after.loss(),
        100 * before.accuracy(),
        100 * after.accuracy(),
        after.labels());
  }

  private static String format(String pattern, Object... values) {
    return String.format(Locale.ROOT, pattern, values);
  }
}
