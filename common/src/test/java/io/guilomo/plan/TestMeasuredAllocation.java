package io.guilomo.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.config.LoraMoeConfig;
import io.guilomo.model.LinearModule;
import io.guilomo.model.Sharing;
import io.guilomo.model.UserException;
import io.guilomo.plan.ModuleMeasurement.Expert;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class TestMeasuredAllocation {

  private static final LoraMoeConfig LORA = GuilomoConfig.load(null, List.of()).loraMoe();

  /** A rank has 7 parameters, an expert 3 more. */
  private static final LinearModule FIRST = new LinearModule(0, "q_proj", 3, 4);

  private static final LinearModule SECOND = new LinearModule(1, "q_proj", 3, 4);

  private static final CandidateMeasurements MEASURED =
      new CandidateMeasurements(
          11,
          40,
          2.5,
          "digest",
          List.of(
              new ModuleMeasurement(
                  FIRST,
                  List.of(
                      expert(10, -0.5, 0.125, of(9, 1), of(-0.25, -0.5), of(0.5, 0.25)),
                      expert(60, 0.125, 0.125, of(4, 3), of(0.5, -0.25), of(0.125, 0.0625)),
                      expert(30, -0.25, 0.875, of(8, 0), of(-0.5, -0.5), of(0.5, 0.5)))),
              new ModuleMeasurement(
                  SECOND,
                  List.of(
                      expert(20, -1, 0.5, of(2, 1), of(-1, -1), of(2, 1)),
                      expert(20, -2, 0.5, of(2, 1), of(-1, -2), of(2, 2)),
                      expert(60, -4, 0.5, of(2, 1), of(-2, -2), of(1, 1))))));

  private static final long LEAST = 4 * 10;

  private static double[] of(double... values) {
    return values;
  }

  private static Expert expert(
      long routed, double gradient, double square, double[] energies, double[] g, double[] g2) {
    return new Expert(routed, gradient, square, energies, g, g2);
  }

  private static List<List<Integer>> ranks(MeasuredAllocation strategy, long budget) {
    return strategy.plan(MEASURED, LORA, budget).modules().stream()
        .map(plan -> plan.experts().stream().map(ExpertPlan::rank).toList())
        .toList();
  }

  @Test
  void usageKeepsRanksAndPrunesExpertsByTheirShares() {
    // Second ranks of the experts with 0.6, 0.6, 0.3 and 0.2, then third experts with 0.2 and 0.1.
    assertThat(ranks(MeasuredAllocation.USAGE, LEAST + 7))
        .containsExactly(List.of(2, 1), List.of(1, 1));
    assertThat(ranks(MeasuredAllocation.USAGE, LEAST + 21))
        .containsExactly(List.of(2, 2), List.of(2, 1));
    assertThat(ranks(MeasuredAllocation.USAGE, LEAST + 28 + 9))
        .containsExactly(List.of(2, 2), List.of(2, 2));
    assertThat(ranks(MeasuredAllocation.USAGE, LEAST + 28 + 17))
        .containsExactly(List.of(2, 2), List.of(2, 2, 2));
    AllocationPlan full = MeasuredAllocation.USAGE.plan(MEASURED, LORA, 1000);
    assertThat(full.modules().get(0).experts())
        .containsExactly(new ExpertPlan(2, 60), new ExpertPlan(2, 30), new ExpertPlan(2, 10));
    assertThat(full.strategy()).isEqualTo("usage");
    assertThat(full.seed()).isEqualTo(11);
    assertThat(full.backboneDigest()).isEqualTo("digest");
    assertThat(full.form()).isEqualTo(LORA.form());
  }

  @Test
  void aSharedAIsRefused() {
    LoraMoeConfig shared = new LoraMoeConfig(List.of(), 3, 2, Plans.form(Sharing.SHARED_A), 0, 0);
    assertThatThrownBy(() -> MeasuredAllocation.SVD.plan(MEASURED, shared, LEAST + 17))
        .isInstanceOf(UserException.class)
        .hasMessage(
            "Cannot plan with strategy svd for lora-moe.sharing=shared-a: it weighs a rank by its"
                + " parameters, which would depend on the ranks of other experts; choose another"
                + " strategy, or sharing none");
  }

  @Test
  void svdKeepsTheLargestEnergies() {
    // First module: experts of 10, 8 and 7; beyond rank one 1/7, 0/7, then 4/10 and 3/7, pooled to
    // 7/17. Second: 1/7 twice, 2/10 and 1/7.
    assertThat(ranks(MeasuredAllocation.SVD, LEAST + 17))
        .containsExactly(List.of(1, 1, 2), List.of(1, 1));
    assertThat(ranks(MeasuredAllocation.SVD, LEAST + 27))
        .containsExactly(List.of(1, 1, 2), List.of(1, 1, 1));
    assertThat(ranks(MeasuredAllocation.SVD, LEAST + 34))
        .containsExactly(List.of(2, 1, 2), List.of(1, 1, 1));
  }

  @Test
  void marginalValuesAreThoseOfHandingTokensOver() {
    // Second module: experts worth 4, 2 and 1 as a whole, though the last one's ranks add up to 2.
    // Its row of the router is −1: (1 − 1 + 1) / 17 for both ranks, after 2/7 and 1/7.
    List<CandidateValues.Expert> second =
        new CandidateValues(SECOND, MeasuredAllocation.MARGINAL.values(MEASURED.modules().get(1)))
            .experts();
    assertThat(second).extracting(CandidateValues.Expert::whole).containsExactly(4.0, 2.0, 1.0);
    assertThat(second).extracting(CandidateValues.Expert::own).containsExactly(0.0, -1.0, -1.0);
    // First: 0.5, 0.25 and −0.125 as a whole. Beyond rank one 0.25/7 and 0.5/7; the last expert's
    // first rank with its row of the router (0.25 + 0.125)/10.
    assertThat(ranks(MeasuredAllocation.MARGINAL, LEAST + 14))
        .containsExactly(List.of(1, 1), List.of(2, 2));
    assertThat(ranks(MeasuredAllocation.MARGINAL, LEAST + 21))
        .containsExactly(List.of(1, 2), List.of(2, 2));
    assertThat(ranks(MeasuredAllocation.MARGINAL, LEAST + 38))
        .containsExactly(List.of(1, 2), List.of(2, 2, 2));
    assertThat(ranks(MeasuredAllocation.MARGINAL, LEAST + 48))
        .containsExactly(List.of(1, 2, 1), List.of(2, 2, 2));
    assertThat(ranks(MeasuredAllocation.MARGINAL, LEAST + 55))
        .containsExactly(List.of(2, 2, 1), List.of(2, 2, 2));
  }

  @Test
  void fisherKeepsTheLargestSquares() {
    List<CandidateValues.Expert> first =
        new CandidateValues(FIRST, MeasuredAllocation.FISHER.values(MEASURED.modules().get(0)))
            .experts();
    assertThat(first)
        .extracting(CandidateValues.Expert::whole)
        .containsExactly(0.875, 0.125, 0.125);
    assertThat(first.get(1).ranks()).containsExactly(0.5, 0.25);
    // The second module's ranks beyond the first have 1, 2, 1 of two experts of rank two.
    assertThat(ranks(MeasuredAllocation.FISHER, LEAST + 7))
        .containsExactly(List.of(1, 1), List.of(1, 2));
  }

  @ParameterizedTest
  @EnumSource
  void allNeedABudgetThatTheirSmallestPlanMeets(MeasuredAllocation strategy) {
    assertThatThrownBy(() -> strategy.plan(MEASURED, LORA, 0))
        .isInstanceOf(UserException.class)
        .hasMessage(
            "Cannot plan with strategy %s without a budget: set guilomo.allocation.budget.parameters",
            strategy);
    assertThatThrownBy(() -> strategy.plan(MEASURED, LORA, LEAST - 1))
        .isInstanceOf(UserException.class)
        .hasMessage(
            "Cannot keep strategy %s within 39 parameters: its smallest plan has 40", strategy);
    assertThat(AllocationStrategies.measures(strategy.toString())).isTrue();
  }

  @Test
  void measurementsAreReadAsTheyWereWritten() {
    assertThat(
            CandidateMeasurementsParser.fromJson(
                "the file", CandidateMeasurementsParser.toJson(MEASURED)))
        .isEqualTo(MEASURED);
    assertThatThrownBy(
            () ->
                CandidateMeasurementsParser.fromJson(
                    "the file",
                    CandidateMeasurementsParser.toJson(MEASURED).replace("[9.0,", "[\"9\",")))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("energies must have numbers, not \"9\"");
  }
}
