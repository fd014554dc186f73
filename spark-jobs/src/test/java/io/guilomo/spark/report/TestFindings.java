package io.guilomo.spark.report;

import static org.assertj.core.api.Assertions.assertThat;

import io.guilomo.spark.report.Allocation.Module;
import java.util.List;
import org.junit.jupiter.api.Test;

class TestFindings {

  @Test
  void layersAndModulesWithTheMostAndTheFewestAreNamed() {
    Findings findings =
        findings(
            new Module(0, "query", 10, 20, 2, 4, 10),
            new Module(0, "key", 10, 20, 3, 12, 10),
            new Module(1, "query", 10, 20, 8, 16, 10),
            new Module(1, "key", 10, 20, 2, 8, 10),
            new Module(10, "query", 10, 20, 2, 4, 10),
            new Module(10, "key", 10, 20, 3, 12, 10));
    assertThat(findings.experts())
        .isEqualTo(
            "Layer 1 got the most experts (10), layers 0 and 10 the fewest (5). Module query got the"
                + " most experts (4 per layer), module key the fewest (2.7 per layer).");
    assertThat(findings.ranks())
        .isEqualTo(
            "Module key got the highest ranks (mean 4.0), module query the lowest (mean 2.0).");
  }

  @Test
  void manyOfAKindAreCounted() {
    assertThat(
            findings(
                    new Module(0, "query", 10, 20, 2, 4, 10),
                    new Module(1, "query", 10, 20, 2, 4, 10),
                    new Module(2, "query", 10, 20, 2, 4, 10),
                    new Module(3, "query", 10, 20, 2, 4, 10),
                    new Module(4, "query", 10, 20, 3, 6, 10))
                .experts())
        .isEqualTo(
            "Layer 4 got the most experts (3), 4 layers the fewest (2). Every kind of module got the"
                + " same number of experts (2.2 per layer).");
  }

  @Test
  void aUniformPlanIsSaidToBeOne() {
    Findings findings =
        findings(
            new Module(0, "query", 10, 20, 5, 40, 10), new Module(1, "query", 10, 20, 5, 40, 10));
    assertThat(findings.experts()).isEqualTo("Every module of every layer got 5 experts.");
    assertThat(findings.ranks()).isEqualTo("Every expert has rank 8.");
  }

  private static Findings findings(Module... modules) {
    return new Findings(new Allocation("guilomo", 1, 1, List.of(modules), 0));
  }
}
