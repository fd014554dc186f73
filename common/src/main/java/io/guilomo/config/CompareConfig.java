package io.guilomo.config;

import io.guilomo.model.ExpertForm;
import io.guilomo.model.RoutingMethod;
import io.guilomo.model.Sharing;
import java.util.Comparator;
import java.util.List;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/**
 * Which strategies are compared, and how; {@code guilomo.compare}.
 *
 * @param strategies names of allocation strategies
 * @param baseline the strategy that the others are compared with; one of them
 * @param axes the routings and sharings that every strategy is compared at
 * @param seeds every strategy runs once with each
 * @param learningRates of the fine-tuning, of which each strategy gets its best; empty: {@code
 *     finetune.learning-rate}
 * @param tuningSeeds number of seeds, from the start of {@code seeds}, with which the learning
 *     rates are tried; the others train with the best rate alone; 0: all
 * @param budgets of all strategies: up to 1 a share of the full allocation's trainable parameters,
 *     above 1 their number; empty: a single budget, as {@link AllocationConfig} has it
 * @param randomPlans random plans of its budget among which each plan is placed
 * @param margin relative difference below which two plans are as good as each other
 * @param findSmallest whether each strategy is trained with the largest budget first, and with
 *     smaller ones as long as its plans are as good as the full allocation
 */
public record CompareConfig(
    List<String> strategies,
    String baseline,
    Axes axes,
    List<Long> seeds,
    List<Double> learningRates,
    int tuningSeeds,
    List<Double> budgets,
    int randomPlans,
    double margin,
    boolean findSmallest) {

  /** A budget over the next one, where none are given. */
  private static final int HALVE = 2;

  /**
   * @param form has the routing and sharing where none are given
   */
  static CompareConfig of(ConfigSection section, ExpertForm form) {
    List<String> strategies = section.texts("strategies");
    if (strategies.isEmpty() || strategies.stream().distinct().count() < strategies.size()) {
      throw section.refuse("strategies", "must be different strategies, at least one");
    }
    List<Double> budgets = section.positives("budgets");
    if (budgets.stream().anyMatch(budget -> budget > 1 && budget != Math.rint(budget))) {
      throw section.refuse(
          "budgets",
          "must be shares of the full allocation up to 1, or whole numbers of parameters");
    }
    List<Long> seeds = section.seeds("seeds", 1);
    boolean findSmallest = section.flag("find-smallest");
    if (findSmallest && seeds.size() == 1) {
      throw section.refuse(
          "find-smallest", "one seed says nothing about chance; give compare.seeds two or more");
    }
    List<String> routings = section.someOf("routings", RoutingMethod.NAMES);
    List<String> sharings =
        section.someOf("sharings", Stream.of(Sharing.values()).map(Sharing::toString).toList());
    if (findSmallest && !(routings.isEmpty() && sharings.isEmpty())) {
      throw section.refuse(
          "find-smallest",
          "the plan found becomes the run's, which has one routing and one sharing; set lora-moe.routing"
              + " and lora-moe.sharing instead of compare.routings and compare.sharings");
    }
    return new CompareConfig(
        strategies,
        section.oneOf("baseline", strategies),
        new Axes(
            routings.isEmpty() ? List.of(form.routing().router()) : routings,
            sharings.isEmpty() ? List.of(form.sharing().toString()) : sharings),
        seeds,
        section.positives("learning-rates"),
        section.whole("tuning-seeds", 0),
        budgets,
        section.whole("random-plans", 0),
        section.fraction("margin"),
        findSmallest);
  }

  /**
   * The budgets as numbers of trainable parameters, the smallest first.
   *
   * @param full what the full allocation has
   */
  public List<Long> budgetParameters(long full) {
    return budgets.stream()
        .map(budget -> budget <= 1 ? (long) (budget * full) : budget.longValue())
        .distinct()
        .sorted()
        .toList();
  }

  /**
   * The budgets in which the smallest plan is looked for, the largest first: those of {@link
   * #budgetParameters}, or else halves of the full allocation and of each other.
   *
   * @param least no smaller one is of use
   */
  public List<Long> descendingBudgets(long full, long least) {
    List<Long> given = budgetParameters(full);
    return given.isEmpty()
        ? LongStream.iterate(full / HALVE, budget -> budget >= least, budget -> budget / HALVE)
            .boxed()
            .toList()
        : given.stream().sorted(Comparator.reverseOrder()).toList();
  }

  /**
   * The rates of the fine-tuning to choose from, the lowest first.
   *
   * @param only the one where none are given
   */
  public List<Double> learningRates(double only) {
    return learningRates.isEmpty() ? List.of(only) : learningRates.stream().sorted().toList();
  }

  /** The seeds with which the learning rates are tried. */
  public List<Long> seedsToTune() {
    return tuningSeeds == 0 ? seeds : seeds.subList(0, Math.min(tuningSeeds, seeds.size()));
  }

  /** The strategies that run, among them {@code random} where there are to be random plans. */
  public List<String> strategiesWith(String random) {
    return with(strategies, random);
  }

  /** Some of the strategies, and {@code random} where there are to be random plans. */
  public List<String> with(List<String> some, String random) {
    return randomPlans == 0 || some.contains(random)
        ? some
        : Stream.concat(some.stream(), Stream.of(random)).toList();
  }
}
