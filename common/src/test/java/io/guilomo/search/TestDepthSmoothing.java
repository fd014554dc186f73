package io.guilomo.search;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.guilomo.model.LinearModule;
import io.guilomo.model.ModuleExperts;
import io.guilomo.model.RoutingMethod;
import java.util.Arrays;
import java.util.List;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

class TestDepthSmoothing {

  private static final int EXPERTS = 2;
  private static final int RANK = 3;
  private static final int ENTRIES = EXPERTS + EXPERTS * RANK;
  private static final Offset<Double> EXACT = within(1e-12);

  private static ModuleExperts module(int layer, String name, int out, int rank) {
    return ModuleExperts.uniform(
        new LinearModule(layer, name, 16, out), EXPERTS, rank, 16, RoutingMethod.topK(2));
  }

  private static List<ModuleExperts> threeLayers() {
    return List.of(
        module(0, "q_proj", 16, RANK),
        module(0, "v_proj", 16, RANK),
        module(1, "q_proj", 16, RANK),
        module(1, "v_proj", 8, RANK),
        module(2, "q_proj", 16, RANK),
        module(2, "v_proj", 8, RANK));
  }

  @Test
  void aLayerSharesWithThoseBelowAndAbove() {
    double[] values = new double[6 * ENTRIES];
    // One entry of q_proj in layer 1.
    values[2 * ENTRIES + 4] = 1;
    new DepthSmoothing(threeLayers()).smooth(values);
    assertThat(values[4]).isEqualTo(0.5 / 1.5, EXACT);
    assertThat(values[2 * ENTRIES + 4]).isEqualTo(1 / 2.0, EXACT);
    assertThat(values[4 * ENTRIES + 4]).isEqualTo(0.5 / 1.5, EXACT);
    assertThat(Arrays.stream(values).filter(value -> value != 0)).hasSize(3);
  }

  @Test
  void whatAllLayersHaveStays() {
    double[] values = new double[6 * ENTRIES];
    Arrays.setAll(values, i -> i % ENTRIES);
    double[] smoothed = values.clone();
    new DepthSmoothing(threeLayers()).smooth(smoothed);
    assertThat(smoothed).containsExactly(values, EXACT);
  }

  @Test
  void modulesOfOtherShapesOrCandidatesAreNoNeighbours() {
    List<ModuleExperts> unlike =
        List.of(
            module(0, "q_proj", 16, RANK),
            module(1, "q_proj", 8, RANK),
            module(2, "q_proj", 8, RANK + 1),
            module(4, "q_proj", 8, RANK + 1));
    int entries = unlike.stream().mapToInt(m -> m.experts() + m.totalRank()).sum();
    double[] values = new double[entries];
    Arrays.setAll(values, i -> i * i);
    double[] smoothed = values.clone();
    new DepthSmoothing(unlike).smooth(smoothed);
    assertThat(smoothed).containsExactly(values, EXACT);
  }
}
