package io.guilomo.search;

import io.guilomo.model.LinearModule;
import io.guilomo.model.ModuleExperts;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Averages what belongs to a module with what belongs to its neighbours, the modules of the same
 * name, shape and candidates in the layers below and above:
 *
 * <pre>
 *   q_l ← (q_l + w Σ_{neighbours} q_n) / (1 + w · neighbours)
 * </pre>
 *
 * <p>What a module gains from an expert or a rank changes little from one layer to the next, while
 * the noise of single batches does not agree between layers, so that plans of different seeds are
 * more alike with it than without (common/EVIDENCE.md).
 */
final class DepthSmoothing {

  /** w. */
  private static final double NEIGHBOUR = 0.5;

  private final int[] starts;
  private final int[] lengths;

  /** Indices of the neighbours of each module. */
  private final int[][] neighbours;

  /**
   * @param modules the candidates, in the order of their GSVs
   */
  DepthSmoothing(List<ModuleExperts> modules) {
    starts = new int[modules.size()];
    lengths = new int[modules.size()];
    neighbours = new int[modules.size()][];
    Map<LinearModule, Integer> places = new HashMap<>();
    int offset = 0;
    for (int m = 0; m < modules.size(); m++) {
      starts[m] = offset;
      lengths[m] = modules.get(m).gsvEntries();
      offset += lengths[m];
      places.put(modules.get(m).module(), m);
    }
    for (int m = 0; m < modules.size(); m++) {
      ModuleExperts own = modules.get(m);
      neighbours[m] =
          List.of(-1, 1).stream()
              .map(step -> places.get(beside(own.module(), step)))
              .filter(n -> n != null && modules.get(n).ranks().equals(own.ranks()))
              .mapToInt(Integer::intValue)
              .toArray();
    }
  }

  private static LinearModule beside(LinearModule module, int step) {
    return new LinearModule(
        module.layer() + step, module.name(), module.inFeatures(), module.outFeatures());
  }

  /**
   * @param values one for each entry of the GSVs, in their order; replaced
   */
  void smooth(double[] values) {
    double[] before = values.clone();
    for (int m = 0; m < starts.length; m++) {
      double share = 1 / (1 + NEIGHBOUR * neighbours[m].length);
      for (int i = 0; i < lengths[m]; i++) {
        double sum = 0;
        for (int neighbour : neighbours[m]) {
          sum += before[starts[neighbour] + i];
        }
        values[starts[m] + i] = share * (before[starts[m] + i] + NEIGHBOUR * sum);
      }
    }
  }
}
