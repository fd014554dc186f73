package io.guilomo.plan;

import java.util.ArrayList;
import java.util.List;
import java.util.function.ToIntFunction;

/**
 * The plan that several searches with different seeds agree on best: each module gets the median of
 * their numbers of experts, each expert the median of its ranks, the lower one of two. Entries that
 * fewer plans have are the first to go where it is over a budget.
 *
 * @param seed that the plan records
 */
public record ConsensusAllocation(long seed, ParameterBudget budget) {

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
            STRATEGY, seed, first.form(), first.singleLora(), modules, first.backboneDigest());
    return budget.fit(
        consensus,
        (module, expert, index) ->
            at(plans, module).stream()
                .filter(
                    plan ->
                        index < 0
                            ? plan.experts().size() > expert
                            : plan.candidateRanks().get(expert) > index)
                .count());
  }

  private static ModulePlan module(List<ModulePlan> plans) {
    List<ExpertPlan> candidates = new ArrayList<>();
    for (int e = 0; e < plans.get(0).candidateRanks().size(); e++) {
      int expert = e;
      long routed =
          plans.stream()
              .filter(plan -> plan.experts().size() > expert)
              .mapToLong(plan -> plan.experts().get(expert).routedTokens())
              .sum();
      candidates.add(
          new ExpertPlan(median(plans, plan -> plan.candidateRanks().get(expert)), routed));
    }
    return ModulePlan.of(
        plans.get(0).module(), candidates, median(plans, plan -> plan.experts().size()));
  }

  private static int median(List<ModulePlan> plans, ToIntFunction<ModulePlan> value) {
    int[] values = plans.stream().mapToInt(value).sorted().toArray();
    return values[(values.length - 1) / 2];
  }

  private static List<ModulePlan> at(List<AllocationPlan> plans, int module) {
    return plans.stream().map(plan -> plan.modules().get(module)).toList();
  }
}
