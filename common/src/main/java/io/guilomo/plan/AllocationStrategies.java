package io.guilomo.plan;

import io.guilomo.config.AllocationConfig;
import io.guilomo.config.LoraMoeConfig;
import io.guilomo.config.SearchConfig.Estimator;
import io.guilomo.model.ExpertForm;
import io.guilomo.model.LinearModule;
import io.guilomo.model.UserException;
import java.util.List;
import java.util.stream.Stream;

/** The strategies by their names in {@code allocation.strategy}. */
public final class AllocationStrategies {

  /** Name of the strategy that takes a plan from a file. */
  public static final String FILE = "file";

  private static final List<String> NAMES =
      Stream.of(
              List.of(
                  LearnedAllocation.STRATEGY,
                  UniformAllocation.STRATEGY,
                  "mola-2-4-6-8",
                  "mola-8-6-4-2",
                  "mola-8-2-2-8",
                  "mola-5-5-5-5",
                  HiloAllocation.STRATEGY,
                  AlphaLoraAllocation.STRATEGY),
              MeasuredAllocation.names(),
              List.of(RandomAllocation.STRATEGY, SingleAllocation.STRATEGY, FILE))
          .flatMap(List::stream)
          .toList();

  private AllocationStrategies() {}

  /** Whether GuidedSelection Vectors learn the plan. */
  public static boolean learns(String name) {
    return name.equals(LearnedAllocation.STRATEGY);
  }

  /** Whether the plan is read off a short training: one of {@link MeasuredAllocation}. */
  public static boolean measures(String name) {
    return MeasuredAllocation.names().contains(name);
  }

  /** Whether the plan depends on the data: training and validation records are needed for it. */
  public static boolean trains(String name) {
    return learns(name) || measures(name);
  }

  /** Whether the spectra of the frozen weights are needed for the plan. */
  public static boolean readsWeights(String name) {
    return name.equals(AlphaLoraAllocation.STRATEGY);
  }

  /**
   * Refuses a name that no strategy has.
   *
   * @throws UserException that lists the strategies
   */
  public static void check(String name) {
    if (name.startsWith(MolaAllocation.PREFIX)) {
      MolaAllocation.shape(name);
    } else if (!NAMES.contains(name)) {
      throw new UserException(
          "Cannot use allocation strategy %s: expected one of %s", name, String.join(", ", NAMES));
    }
  }

  /**
   * A strategy that needs neither data, weights nor a file.
   *
   * @throws UserException for another name
   */
  public static AllocationStrategy of(
      String name, AllocationConfig allocation, LoraMoeConfig lora) {
    check(name);
    if (name.startsWith(MolaAllocation.PREFIX)) {
      return new MolaAllocation(MolaAllocation.shape(name), allocation.rank(), lora);
    }
    return switch (name) {
      case UniformAllocation.STRATEGY -> uniform(allocation, lora);
      case RandomAllocation.STRATEGY -> new RandomAllocation(lora);
      case HiloAllocation.STRATEGY -> new HiloAllocation(allocation.rank(), lora);
      case SingleAllocation.STRATEGY -> new SingleAllocation(allocation.rank(), lora);
      default ->
          throw new UserException(
              "Cannot make a plan of strategy " + name + " of the model's shape alone");
    };
  }

  /**
   * The plan that the GSVs of a search choose, within a budget.
   *
   * @param estimator that the search used
   * @param seed seed of the search
   * @param budget most trainable parameters
   * @throws UserException if as few experts as can be, of rank one, are over the budget
   */
  public static AllocationPlan learned(
      Estimator estimator,
      long seed,
      ExpertForm form,
      List<GuidedSelection> selections,
      long budget) {
    return switch (estimator) {
      case STRAIGHT_THROUGH ->
          new LearnedAllocation(seed, form).plan(selections, new ParameterBudget(budget));
      case EXPECTED -> new ExpectedAllocation(seed, form).plan(selections, budget);
    };
  }

  /**
   * Trainable parameters of the smallest plan that a strategy can make: a smaller budget has none.
   *
   * @param name of any strategy but {@link #FILE}, which has a single plan
   * @param allocation has the experts of {@code alphalora}, which spreads as many over any model
   *     whose layers are alike, whatever their spectra
   */
  public static long leastParameters(
      String name, List<LinearModule> modules, AllocationConfig allocation, LoraMoeConfig lora) {
    check(name);
    AllocationStrategy smallest =
        name.startsWith(MolaAllocation.PREFIX)
            ? new MolaAllocation(MolaAllocation.shape(name), 1, lora)
            : switch (name) {
              case HiloAllocation.STRATEGY -> new HiloAllocation(1, lora);
              case SingleAllocation.STRATEGY -> new SingleAllocation(1, lora);
              case AlphaLoraAllocation.STRATEGY ->
                  (all, seed, budget) ->
                      new UniformAllocation(allocation.experts(), 1, lora.form()).plan(all);
              default ->
                  (all, seed, budget) ->
                      UniformAllocation.smallest(lora.maxExperts(), lora.form()).plan(all);
            };
    return smallest.plan(modules, 0, AllocationStrategy.UNLIMITED).parameters();
  }

  /** The full allocation: as many experts of as high a rank as a search may choose, everywhere. */
  public static AllocationPlan full(List<LinearModule> modules, LoraMoeConfig lora) {
    return new UniformAllocation(lora.maxExperts(), lora.maxRank(), lora.form()).plan(modules);
  }

  private static AllocationStrategy uniform(AllocationConfig allocation, LoraMoeConfig lora) {
    UniformAllocation uniform =
        new UniformAllocation(allocation.experts(), allocation.rank(), lora.form());
    return (modules, seed, budget) ->
        budget == AllocationStrategy.UNLIMITED
            ? uniform.plan(modules)
            : uniform.within(modules, budget, lora.maxExperts(), lora.maxRank());
  }
}
