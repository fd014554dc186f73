package io.guilomo.plan;

import java.util.ArrayList;
import java.util.List;
import java.util.function.ToIntFunction;
import java.util.stream.Stream;

/**
 * The plan that several searches with different seeds agree on best: each module gets the median of
 * their numbers of experts, each expert the median of its ranks, the lower one of two. Entries that
 * fewer plans have are the first to go where it is over a budget.
 *
 * @param seed that the plan records
 */
public record ConsensusAllocation(long seed, ParameterBudget budget) {

  /** Name of the strategy. */
  public static final String STRATEGY = "consensus";

  /**
   * @param plans of the same modules, in the same order, learned with the same backbone; at least
   *     one
   */
  public AllocationPlan plan(List<AllocationPlan> plans) {
    AllocationPlan first = plans.get(0);
    List<ModulePlan> modules = new ArrayList<>();
    for (int i = 0; i < first.modules().size(); i++) {
      modules.add(module(at(plans, i)));
    }
    AllocationPlan consensus =
        new AllocationPlan(
            STRATEGY,
            seed,
            first.routing(),
            first.alpha(),
            first.singleLora(),
            modules,
            first.backboneDigest());
    return budget.fit(
        consensus,
        new EntryValues() {
          @Override
          public double expert(int module, int expert) {
            return share(plans, module, plan -> plan.experts().size() > expert ? 1 : 0);
          }

          @Override
          public double rank(int module, int expert, int index) {
            return share(plans, module, plan -> candidates(plan).get(expert) > index ? 1 : 0);
          }
        });
  }

  private static ModulePlan module(List<ModulePlan> plans) {
    int experts = median(plans, plan -> plan.experts().size());
    List<ExpertPlan> allocated = new ArrayList<>();
    List<Integer> unallocated = new ArrayList<>();
    for (int e = 0; e < candidates(plans.get(0)).size(); e++) {
      int expert = e;
      int rank = median(plans, plan -> candidates(plan).get(expert));
      if (e < experts) {
        long routed =
            plans.stream()
                .filter(plan -> plan.experts().size() > expert)
                .mapToLong(plan -> plan.experts().get(expert).routedTokens())
                .sum();
        allocated.add(new ExpertPlan(rank, routed));
      } else {
        unallocated.add(rank);
      }
    }
    return new ModulePlan(plans.get(0).module(), allocated, unallocated);
  }

  /** Ranks of all candidates, allocated or not. */
  private static List<Integer> candidates(ModulePlan plan) {
    return Stream.concat(
            plan.experts().stream().map(ExpertPlan::rank), plan.unallocatedRanks().stream())
        .toList();
  }

  private static int median(List<ModulePlan> plans, ToIntFunction<ModulePlan> value) {
    int[] values = plans.stream().mapToInt(value).sorted().toArray();
    return values[(values.length - 1) / 2];
  }

  private static double share(
      List<AllocationPlan> plans, int module, ToIntFunction<ModulePlan> has) {
    return at(plans, module).stream().mapToInt(has).average().orElseThrow();
  }

  private static List<ModulePlan> at(List<AllocationPlan> plans, int module) {
    return plans.stream().map(plan -> plan.modules().get(module)).toList();
  }
}
