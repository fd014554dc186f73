package io.guilomo.plan;

import io.guilomo.model.ModuleExperts;
import io.guilomo.model.UserException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;

/**
 * Makes a plan fit a number of trainable parameters. The entries that can go are the last expert of
 * a module, with all its ranks, and the last rank of an expert. The one of least value goes first,
 * among equals the first module's, its expert before its ranks; then the one before it may go. As
 * few experts as can be, of rank one, are never given up. What a smaller budget keeps, a larger one
 * keeps too.
 *
 * @param parameters most trainable parameters; {@link AllocationStrategy#UNLIMITED}: any number
 */
public record ParameterBudget(long parameters) {

  /** Value of each entry: those of least value are given up to meet the budget. */
  interface Values {
    /**
     * @param module position in the plan
     * @param index rank − 1; −1 for the expert as a whole
     */
    double of(int module, int expert, int index);
  }

  /** An entry that may go next; {@code index} as in {@link Values#of}. */
  private record Entry(double value, int module, int expert, int index) {}

  /**
   * The plan without the entries that are given up.
   *
   * @throws UserException if the plan of as few experts as can be, of rank one, is over the budget
   */
  AllocationPlan fit(AllocationPlan plan, Values values) {
    if (parameters == AllocationStrategy.UNLIMITED || plan.parameters() <= parameters) {
      return plan;
    }
    List<List<Integer>> ranks = new ArrayList<>();
    PriorityQueue<Entry> entries =
        new PriorityQueue<>(
            Comparator.comparingDouble(Entry::value)
                .thenComparingInt(Entry::module)
                .thenComparingInt(Entry::index)
                .thenComparingInt(Entry::expert));
    for (int module = 0; module < plan.modules().size(); module++) {
      List<Integer> own = new ArrayList<>(plan.modules().get(module).ranks());
      ranks.add(own);
      addExpert(entries, values, module, own);
      for (int expert = 0; expert < own.size(); expert++) {
        addRank(entries, values, module, expert, own);
      }
    }
    long left = plan.parameters();
    while (left > parameters) {
      Entry entry = entries.poll();
      if (entry == null) {
        throw refusal(left);
      }
      List<Integer> own = ranks.get(entry.module());
      ModulePlan planned = plan.modules().get(entry.module());
      left -= plan.sharing().parameters(planned.module(), own);
      if (entry.index() < 0) {
        own.remove(own.size() - 1);
        addExpert(entries, values, entry.module(), own);
      } else if (entry.expert() < own.size()) {
        own.set(entry.expert(), entry.index());
        addRank(entries, values, entry.module(), entry.expert(), own);
      }
      left += plan.sharing().parameters(planned.module(), own);
    }
    return shrunk(plan, ranks);
  }

  /** The refusal of a plan whose smallest form is over the budget. */
  UserException refusal(long smallest) {
    return new UserException(
        "Cannot keep the plan within %d parameters: its smallest form has %d",
        parameters, smallest);
  }

  private static void addExpert(
      PriorityQueue<Entry> entries, Values values, int module, List<Integer> ranks) {
    if (ranks.size() > ModuleExperts.minExperts(ranks.size())) {
      int last = ranks.size() - 1;
      entries.add(new Entry(values.of(module, last, -1), module, last, -1));
    }
  }

  private static void addRank(
      PriorityQueue<Entry> entries, Values values, int module, int expert, List<Integer> ranks) {
    int last = ranks.get(expert) - 1;
    if (last > 0) {
      entries.add(new Entry(values.of(module, expert, last), module, expert, last));
    }
  }

  private static AllocationPlan shrunk(AllocationPlan plan, List<List<Integer>> ranks) {
    List<ModulePlan> modules = new ArrayList<>();
    for (int i = 0; i < ranks.size(); i++) {
      ModulePlan planned = plan.modules().get(i);
      List<ExpertPlan> candidates = new ArrayList<>(planned.experts());
      List<Integer> kept = ranks.get(i);
      for (int e = 0; e < kept.size(); e++) {
        candidates.set(e, new ExpertPlan(kept.get(e), candidates.get(e).routedTokens()));
      }
      planned.unallocatedRanks().forEach(rank -> candidates.add(ExpertPlan.ofRank(rank)));
      modules.add(ModulePlan.of(planned.module(), candidates, kept.size()));
    }
    return plan.with(modules);
  }
}
