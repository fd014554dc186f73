package io.guilomo.plan;

import io.guilomo.config.LoraMoeConfig;
import io.guilomo.model.LinearModule;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * The strategy {@code alphalora} (arXiv 2410.10054): layers whose weights have a lighter tail, and
 * so are trained less well, get more experts, in proportion to {@code α^2.5}, where {@code α} is
 * the mean of {@link HeavyTail#exponent} over the layer's modules. They are rounded by largest
 * remainders, with at least one everywhere; a layer with one has a plain LoRA. Within a budget the
 * experts are kept and the rank is the largest that fits.
 *
 * @param exponents of each module's frozen weight
 * @param experts of a module on average; the paper has 5, 160 for 32 layers
 * @param rank without a budget
 */
public record AlphaLoraAllocation(
    Map<LinearModule, Double> exponents, int experts, int rank, LoraMoeConfig lora)
    implements AllocationStrategy {

  public static final String STRATEGY = "alphalora";

  /** β. */
  private static final double POWER = 2.5;

  @Override
  public AllocationPlan plan(List<LinearModule> modules, long seed, long budget) {
    Map<Integer, Integer> layers = layers(modules);
    boolean single = layers.containsValue(1);
    return Budgets.largestRank(
        STRATEGY,
        budget,
        rank,
        r ->
            new AllocationPlan(
                STRATEGY,
                0,
                lora.form(),
                single,
                modules.stream()
                    .map(module -> ModulePlan.uniform(module, layers.get(module.layer()), r))
                    .toList()));
  }

  private Map<Integer, Integer> layers(List<LinearModule> modules) {
    TreeMap<Integer, Double> alphas =
        modules.stream()
            .collect(
                Collectors.groupingBy(
                    LinearModule::layer, TreeMap::new, Collectors.averagingDouble(exponents::get)));
    int[] counts =
        apportion(
            alphas.values().stream().mapToDouble(alpha -> Math.pow(alpha, POWER)).toArray(),
            experts * alphas.size());
    Map<Integer, Integer> layers = new TreeMap<>();
    int i = 0;
    for (int layer : alphas.keySet()) {
      layers.put(layer, counts[i++]);
    }
    return layers;
  }

  /**
   * Whole numbers in proportion to weights, rounded by largest remainders, of equal ones the first.
   * An entry that gets none takes one from the largest.
   *
   * @param total at least as many as there are weights
   */
  static int[] apportion(double[] weights, int total) {
    double sum = IntStream.range(0, weights.length).mapToDouble(i -> weights[i]).sum();
    int[] counts = new int[weights.length];
    double[] remainders = new double[weights.length];
    int left = total;
    for (int i = 0; i < weights.length; i++) {
      double exact = total * weights[i] / sum;
      counts[i] = (int) exact;
      remainders[i] = exact - counts[i];
      left -= counts[i];
    }
    List<Integer> order = new ArrayList<>(IntStream.range(0, weights.length).boxed().toList());
    order.sort(Comparator.comparingDouble(i -> -remainders[i]));
    for (int i = 0; i < left; i++) {
      counts[order.get(i)]++;
    }
    for (int i = 0; i < counts.length; i++) {
      if (counts[i] == 0) {
        int most =
            IntStream.range(0, counts.length)
                .reduce((a, b) -> counts[b] > counts[a] ? b : a)
                .getAsInt();
        counts[most]--;
        counts[i] = 1;
      }
    }
    return counts;
  }
}
