package io.guilomo.plan;

import io.guilomo.config.LoraMoeConfig;
import io.guilomo.model.LinearModule;
import io.guilomo.model.UserException;
import java.util.Arrays;
import java.util.List;
import java.util.function.ToIntFunction;
import java.util.stream.Collectors;

/**
 * The strategies {@code mola-…} (arXiv 2402.08562, section 3.3): layer {@code l} of {@code L} gets
 * {@code shape[⌊4l/L⌋]} experts. Within a budget the shape is kept and the rank is the largest that
 * fits.
 *
 * @param shape experts of a module in each quarter of the layers
 * @param rank without a budget
 */
public record MolaAllocation(List<Integer> shape, int rank, LoraMoeConfig lora)
    implements AllocationStrategy {

  /** Prefix of the strategies' names; the shape follows: {@code mola-2-4-6-8}. */
  public static final String PREFIX = "mola-";

  public MolaAllocation {
    shape = List.copyOf(shape);
    if (shape.size() != 4 || shape.stream().anyMatch(experts -> experts < 2)) {
      throw new UserException(
          "Cannot use MoLA's shape " + shape + ": it must be four numbers of at least 2");
    }
  }

  /**
   * Experts of a module by quarter of the layers, from a strategy's name; texts that are no numbers
   * are refused.
   */
  static List<Integer> shape(String name) {
    try {
      return Arrays.stream(name.substring(PREFIX.length()).split("-", -1))
          .map(Integer::valueOf)
          .toList();
    } catch (NumberFormatException e) {
      throw new UserException(
          "Cannot use allocation strategy " + name + ": expected a shape such as mola-2-4-6-8", e);
    }
  }

  public String strategy() {
    return PREFIX + shape.stream().map(String::valueOf).collect(Collectors.joining("-"));
  }

  @Override
  public AllocationPlan plan(List<LinearModule> modules, long seed, long budget) {
    return Budgets.largestRank(strategy(), budget, rank, r -> plan(modules, r));
  }

  private AllocationPlan plan(List<LinearModule> modules, int r) {
    ToIntFunction<LinearModule> quarter = quarters(modules);
    List<ModulePlan> plans =
        modules.stream()
            .map(module -> ModulePlan.uniform(module, shape.get(quarter.applyAsInt(module)), r))
            .toList();
    return new AllocationPlan(strategy(), 0, lora.form(), false, plans);
  }

  /** The quarter of the layers that a module is in, {@code ⌊4l/L⌋}. */
  static ToIntFunction<LinearModule> quarters(List<LinearModule> modules) {
    int layers = 1 + modules.stream().mapToInt(LinearModule::layer).max().orElseThrow();
    return module -> 4 * module.layer() / layers;
  }
}
