package io.guilomo.plan;

import io.guilomo.model.ExpertForm;
import io.guilomo.model.ModuleExperts;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * The plan of candidates with values: the entries of most value for their parameters, as many as
 * the budget allows. An entry is a rank of an expert, and the first rank is the expert as well; an
 * entry comes after those of its expert before it. Where a later entry is worth more for its
 * parameters than one before it, both count as one, with the ratio of their sums (pool adjacent
 * violators, Ayer et al. 1955), so that an expert is not kept out by a first rank of little value.
 *
 * <p>Two experts of rank one everywhere, or the only candidate, are always there. The order does
 * not depend on the budget: what a smaller budget keeps, a larger one keeps too, and a plan is
 * below its budget by less than its next entry costs. Entries of no value come last, but fill the
 * budget too, so that plans of all strategies are of one size.
 */
record ValueAllocation(String strategy, long seed, ExpertForm form) {

  /**
   * Rank {@code index + 1} of an expert.
   *
   * @param ratio value for each parameter, of the entry and those it is pooled with
   * @param pool index of the first of them
   */
  private record Entry(double ratio, int pool, int module, int expert, int index, long cost) {}

  /** Entries of one expert that count as one. */
  private record Pool(int first, int end, double value, long cost) {

    double ratio() {
      return value / cost;
    }

    Pool with(Pool next) {
      return new Pool(first, next.end, value + next.value, cost + next.cost);
    }
  }

  /**
   * @param budget most trainable parameters
   * @throws io.guilomo.model.UserException without a budget, or if as few experts as can be, of
   *     rank one, are over it
   */
  AllocationPlan plan(List<CandidateValues> modules, long budget) {
    List<int[]> ranks = new ArrayList<>();
    List<Entry> entries = new ArrayList<>();
    for (int m = 0; m < modules.size(); m++) {
      List<CandidateValues.Expert> experts = modules.get(m).experts();
      int[] least = new int[experts.size()];
      for (int e = 0; e < experts.size(); e++) {
        least[e] = e < ModuleExperts.minExperts(experts.size()) ? 1 : 0;
        addEntries(entries, modules.get(m), m, e, least[e]);
      }
      ranks.add(least);
    }
    long size = plan(modules, ranks).parameters();
    if (size > budget) {
      return Budgets.refuse(strategy, budget, plan(modules, ranks));
    }
    entries.sort(
        Comparator.comparingDouble((Entry entry) -> -entry.ratio())
            .thenComparingInt(Entry::pool)
            .thenComparingInt(Entry::expert)
            .thenComparingInt(Entry::module)
            .thenComparingInt(Entry::index));
    for (Entry entry : entries) {
      size += entry.cost();
      if (size > budget) {
        break;
      }
      ranks.get(entry.module())[entry.expert()] = entry.index() + 1;
    }
    return plan(modules, ranks);
  }

  /**
   * @param first index of the first entry that is not always there
   */
  private static void addEntries(
      List<Entry> entries, CandidateValues values, int module, int expert, int first) {
    CandidateValues.Expert own = values.experts().get(expert);
    List<Pool> pools = new ArrayList<>();
    for (int i = first; i < own.ranks().length; i++) {
      double value = own.ranks()[i] + (i == 0 ? own.own() : 0);
      Pool pool = new Pool(i, i + 1, value, cost(values, i));
      while (!pools.isEmpty() && pool.ratio() > pools.get(pools.size() - 1).ratio()) {
        pool = pools.remove(pools.size() - 1).with(pool);
      }
      pools.add(pool);
    }
    for (Pool pool : pools) {
      for (int i = pool.first(); i < pool.end(); i++) {
        entries.add(new Entry(pool.ratio(), pool.first(), module, expert, i, cost(values, i)));
      }
    }
  }

  private static long cost(CandidateValues values, int index) {
    long in = values.module().inFeatures();
    return in + values.module().outFeatures() + (index == 0 ? in : 0);
  }

  private AllocationPlan plan(List<CandidateValues> modules, List<int[]> ranks) {
    List<ModulePlan> plans = new ArrayList<>();
    for (int m = 0; m < modules.size(); m++) {
      List<ExpertPlan> experts = new ArrayList<>();
      for (int e = 0; e < ranks.get(m).length; e++) {
        if (ranks.get(m)[e] > 0) {
          long routed = modules.get(m).experts().get(e).routedTokens();
          experts.add(new ExpertPlan(ranks.get(m)[e], routed));
        }
      }
      plans.add(new ModulePlan(modules.get(m).module(), experts));
    }
    return AllocationPlan.chosen(strategy, seed, form, plans);
  }
}
