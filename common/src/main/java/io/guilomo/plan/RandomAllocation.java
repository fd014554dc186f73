package io.guilomo.plan;

import io.guilomo.config.LoraMoeConfig;
import io.guilomo.data.Seeds;
import io.guilomo.model.LinearModule;
import io.guilomo.model.ModuleExperts;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * The strategy {@code random}, the control that a learned plan must beat: experts and ranks as
 * GuidedSelection Vectors that are drawn and never trained choose them, each position of the
 * largest entry as likely as another. Within a budget, entries drawn at random are given up or
 * added until nothing more fits.
 */
public record RandomAllocation(LoraMoeConfig lora) implements AllocationStrategy {

  public static final String STRATEGY = "random";

  @Override
  public AllocationPlan plan(List<LinearModule> modules, long seed, long budget) {
    SplittableRandom random = new SplittableRandom(Seeds.mix(seed, 0));
    List<List<Integer>> ranks = new ArrayList<>();
    for (int i = 0; i < modules.size(); i++) {
      int least = ModuleExperts.minExperts(lora.maxExperts());
      int experts = Math.max(least, 1 + random.nextInt(lora.maxExperts()));
      ranks.add(new ArrayList<>(random.ints(experts, 1, lora.maxRank() + 1).boxed().toList()));
    }
    if (budget == UNLIMITED) {
      return plan(modules, ranks, seed);
    }
    long values = Seeds.mix(seed, 1);
    AllocationPlan fitted =
        new ParameterBudget(budget)
            .fit(
                plan(modules, ranks, seed),
                (module, expert, index) -> value(values, module, expert, index));
    return filled(fitted, modules, seed, budget, random);
  }

  private static double value(long seed, int module, int expert, int index) {
    return new SplittableRandom(Seeds.mix(Seeds.mix(Seeds.mix(seed, module), expert), index))
        .nextDouble();
  }

  /** Adds ranks, and experts of rank one, in a random order, as long as one fits. */
  private AllocationPlan filled(
      AllocationPlan plan,
      List<LinearModule> modules,
      long seed,
      long budget,
      SplittableRandom random) {
    List<List<Integer>> ranks = new ArrayList<>();
    plan.modules().forEach(planned -> ranks.add(planned.ranks()));
    long left = budget - plan.parameters();
    // Expert −1 stands for a new one.
    List<int[]> open = new ArrayList<>();
    for (int module = 0; module < ranks.size(); module++) {
      for (int expert = -1; expert < ranks.get(module).size(); expert++) {
        open.add(new int[] {module, expert});
      }
    }
    while (!open.isEmpty()) {
      int drawn = random.nextInt(open.size());
      int[] entry = open.get(drawn);
      List<Integer> own = ranks.get(entry[0]);
      boolean grows =
          entry[1] < 0 ? own.size() < lora.maxExperts() : own.get(entry[1]) < lora.maxRank();
      List<Integer> grown = grown(own, entry[1]);
      long cost = parameters(modules.get(entry[0]), grown) - parameters(modules.get(entry[0]), own);
      if (!grows || cost > left) {
        open.set(drawn, open.get(open.size() - 1));
        open.remove(open.size() - 1);
      } else {
        if (entry[1] < 0) {
          open.add(new int[] {entry[0], own.size()});
        }
        ranks.set(entry[0], grown);
        left -= cost;
      }
    }
    return plan(modules, ranks, seed);
  }

  /** With one more rank, or with another expert of rank one. */
  private static List<Integer> grown(List<Integer> ranks, int expert) {
    List<Integer> grown = new ArrayList<>(ranks);
    if (expert < 0) {
      grown.add(1);
    } else {
      grown.set(expert, ranks.get(expert) + 1);
    }
    return grown;
  }

  private long parameters(LinearModule module, List<Integer> ranks) {
    return lora.form().sharing().parameters(module, ranks);
  }

  private AllocationPlan plan(List<LinearModule> modules, List<List<Integer>> ranks, long seed) {
    List<ModulePlan> plans = new ArrayList<>();
    for (int i = 0; i < modules.size(); i++) {
      plans.add(
          new ModulePlan(modules.get(i), ranks.get(i).stream().map(ExpertPlan::ofRank).toList()));
    }
    return AllocationPlan.chosen(STRATEGY, seed, lora.form(), plans);
  }
}
