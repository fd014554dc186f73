package io.guilomo.plan;

import io.guilomo.model.CountDistribution;
import io.guilomo.model.ExpertForm;
import io.guilomo.model.LinearModule;
import io.guilomo.model.ModuleExperts;
import io.guilomo.model.UserException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The plan of GSVs that are distributions over counts: rank {@code i} of expert {@code e} is kept
 * where it is in use with a probability {@code S_e · S_{e,i} ≥ θ}, and two experts of rank one
 * everywhere (one where there is one candidate). Within a budget θ is as low as it can be; entries
 * of equal probability go by their ranks, experts and modules. So the plan is below the budget by
 * less than its next entry costs, and what a smaller budget keeps, a larger one keeps too. Without
 * a budget θ is 1/2.
 *
 * @param seed seed of the search
 */
public record ExpectedAllocation(long seed, ExpertForm form) {

  /** Rank {@code index + 1} of an expert, and the expert itself where it is 0. */
  private record Entry(double probability, int module, int expert, int index) {}

  /**
   * @param budget most trainable parameters; {@link AllocationStrategy#UNLIMITED}: θ = 1/2
   * @throws UserException if as few experts as can be, of rank one, are over the budget
   */
  public AllocationPlan plan(List<GuidedSelection> selections, long budget) {
    List<int[]> ranks = new ArrayList<>();
    List<List<CountDistribution>> distributions = new ArrayList<>();
    List<Entry> entries = new ArrayList<>();
    for (int m = 0; m < selections.size(); m++) {
      GuidedSelection selection = selections.get(m);
      int fewest = ModuleExperts.minExperts(selection.expertVector().length);
      CountDistribution experts = distribution(selection, selection.expertVector(), fewest);
      List<CountDistribution> own = new ArrayList<>();
      for (int e = 0; e < selection.rankVectors().length; e++) {
        CountDistribution rank = distribution(selection, selection.rankVectors()[e], 1);
        own.add(rank);
        for (int i = e < fewest ? 1 : 0; i < rank.length(); i++) {
          entries.add(new Entry(experts.survival(e) * rank.survival(i), m, e, i));
        }
      }
      distributions.add(own);
      int[] least = new int[selection.rankVectors().length];
      Arrays.fill(least, 0, fewest, 1);
      ranks.add(least);
    }
    long size = of(selections, distributions, ranks).parameters();
    if (budget != AllocationStrategy.UNLIMITED && size > budget) {
      throw new ParameterBudget(budget).refusal(size);
    }
    entries.sort(
        Comparator.comparingDouble((Entry entry) -> -entry.probability())
            .thenComparingInt(Entry::index)
            .thenComparingInt(Entry::expert)
            .thenComparingInt(Entry::module));
    for (Entry entry : entries) {
      LinearModule module = selections.get(entry.module()).module();
      int[] own = ranks.get(entry.module());
      size -= parameters(module, own);
      int before = own[entry.expert()];
      own[entry.expert()] = entry.index() + 1;
      size += parameters(module, own);
      if (budget == AllocationStrategy.UNLIMITED ? entry.probability() < 0.5 : size > budget) {
        own[entry.expert()] = before;
        break;
      }
    }
    return of(selections, distributions, ranks);
  }

  private AllocationPlan of(
      List<GuidedSelection> selections,
      List<List<CountDistribution>> distributions,
      List<int[]> ranks) {
    List<ModulePlan> modules = new ArrayList<>();
    for (int m = 0; m < selections.size(); m++) {
      modules.add(module(selections.get(m), distributions.get(m), ranks.get(m)));
    }
    return AllocationPlan.chosen(LearnedAllocation.STRATEGY, seed, form, modules);
  }

  /** Candidates that are left out are recorded with the medians of their ranks. */
  private static ModulePlan module(
      GuidedSelection selection, List<CountDistribution> distributions, int[] ranks) {
    List<ExpertPlan> candidates = new ArrayList<>();
    int experts = 0;
    for (int e = 0; e < ranks.length; e++) {
      experts += ranks[e] > 0 ? 1 : 0;
      int rank = ranks[e] > 0 ? ranks[e] : distributions.get(e).median();
      candidates.add(new ExpertPlan(rank, selection.routedTokens()[e]));
    }
    return ModulePlan.of(selection.module(), candidates, experts);
  }

  /**
   * @param ranks 0 of a candidate that is left out
   */
  private long parameters(LinearModule module, int[] ranks) {
    return form.sharing()
        .parameters(module, IntStream.of(ranks).filter(rank -> rank > 0).boxed().toList());
  }

  private static CountDistribution distribution(
      GuidedSelection selection, float[] vector, int least) {
    for (float logit : vector) {
      if (!Float.isFinite(logit)) {
        throw new UserException(
            "Cannot allocate %s: an entry of its GSVs is %s", selection.module(), logit);
      }
    }
    return new CountDistribution(vector, 0, vector.length, least);
  }
}
