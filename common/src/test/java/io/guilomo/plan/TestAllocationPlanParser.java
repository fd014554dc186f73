package io.guilomo.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.io.StrictObject;
import io.guilomo.model.ExpertForm;
import io.guilomo.model.RoutingMethod;
import io.guilomo.model.Scaling;
import io.guilomo.model.Sharing;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TestAllocationPlanParser {
  private static final String SMALL =
      """
      {
        "format-version": 1,
        "strategy": "file",
        "seed": 7,
        "top-k": 2,
        "alpha": 16,
        "modules": [ { "layer": 0, "module": "q_proj", "in-features": 4, "out-features": 6, "ranks": [ 3, 8 ] } ]
      }
      """;

  @Test
  void roundTrip() {
    AllocationPlan plan = Plans.learned();
    assertThat(AllocationPlanParser.fromJson(AllocationPlanParser.toJson(plan))).isEqualTo(plan);
    AllocationPlan single =
        new UniformAllocation(1, 4, RoutingMethod.topK(1), 0.1).plan(List.of(Plans.QUERY));
    assertThat(AllocationPlanParser.fromJson(AllocationPlanParser.toJson(single)))
        .isEqualTo(single);
    AllocationPlan learned = plan.learnedWith("6f1ed002");
    assertThat(AllocationPlanParser.fromJson(AllocationPlanParser.toJson(learned)))
        .isEqualTo(learned)
        .isNotEqualTo(plan);
  }

  @Test
  void aRouterOtherThanTopKIsSaid() {
    AllocationPlan plan =
        new UniformAllocation(2, 4, new RoutingMethod("other", 3), 16).plan(List.of(Plans.QUERY));
    String json = AllocationPlanParser.toJson(plan);
    assertThat(json).contains("\"top-k\": 3,\n  \"routing\": \"other\",\n  \"alpha\"");
    assertThat(AllocationPlanParser.fromJson(json)).isEqualTo(plan);
    assertThat(AllocationPlanParser.toJson(Plans.learned())).doesNotContain("routing");
  }

  @Test
  void aSharingOtherThanNoneIsSaid() {
    AllocationPlan plan =
        new UniformAllocation(2, 4, Plans.form(Sharing.SHARED_A)).plan(List.of(Plans.QUERY));
    String json = AllocationPlanParser.toJson(plan);
    assertThat(json).contains("\"top-k\": 2,\n  \"sharing\": \"shared-a\",\n  \"alpha\"");
    assertThat(AllocationPlanParser.fromJson(json)).isEqualTo(plan);
    assertThat(AllocationPlanParser.toJson(Plans.learned())).doesNotContain("sharing");
    refused(
        json.replace("shared-a", "shared-b"),
        "Cannot read plan: sharing is shared-b, this release knows none and shared-a");
  }

  @Test
  void aScalingOtherThanAlphaOverRankIsSaid() {
    Scaling scaling = new Scaling(Scaling.Rule.ALPHA_OVER_SQRT_RANK, 16);
    AllocationPlan plan =
        new UniformAllocation(2, 4, new ExpertForm(RoutingMethod.topK(2), scaling))
            .plan(List.of(Plans.QUERY));
    String json = AllocationPlanParser.toJson(plan);
    assertThat(json).contains("\"alpha\": 16.0,\n  \"scaling\": \"alpha-over-sqrt-rank\",");
    AllocationPlan read = AllocationPlanParser.fromJson(json);
    assertThat(read).isEqualTo(plan);
    assertThat(read.scaling(Plans.QUERY, 1)).isEqualTo(8);
    assertThat(AllocationPlanParser.toJson(Plans.learned())).doesNotContain("scaling");
    assertThatThrownBy(
            () -> AllocationPlanParser.fromJson(json.replace("alpha-over-sqrt-rank", "alpha")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "Cannot read plan: scaling is alpha, this release knows alpha-over-rank and"
                + " alpha-over-sqrt-rank");
  }

  @Test
  void theBackboneThatAPlanWasLearnedWithIsSaid() {
    assertThat(AllocationPlanParser.toJson(Plans.learned().learnedWith("6f1ed002")))
        .contains("\"single-lora\": false,\n  \"backbone-digest\": \"6f1ed002\",\n  \"modules\"");
    assertThat(AllocationPlanParser.fromJson(SMALL).backboneDigest()).isEmpty();
  }

  @Test
  void text() {
    assertThat(AllocationPlanParser.toJson(Plans.learned()))
        .isEqualTo(
            """
            {
              "format-version": 1,
              "strategy": "guilomo",
              "seed": -42,
              "top-k": 2,
              "alpha": 16.0,
              "single-lora": false,
              "modules": [ {
                "layer": 0,
                "module": "q_proj",
                "in-features": 4,
                "out-features": 6,
                "ranks": [ 3, 8 ],
                "routed-tokens": [ 512, 1099511627776 ]
              }, {
                "layer": 1,
                "module": "down_proj",
                "in-features": 10,
                "out-features": 4,
                "ranks": [ 1, 2, 4 ],
                "routed-tokens": [ 0, 9, 0 ],
                "unallocated-ranks": [ 7 ]
              } ]
            }
            """);
  }

  @Test
  void aPlanWrittenByHandNeedsNoCounts() {
    AllocationPlan plan = AllocationPlanParser.fromJson(SMALL);
    assertThat(plan.module(Plans.QUERY).experts())
        .containsExactly(ExpertPlan.ofRank(3), ExpertPlan.ofRank(8));
    assertThat(plan.module(Plans.QUERY).unallocatedRanks()).isEmpty();
    assertThat(plan.singleLora()).isFalse();
    assertThat(plan.alpha()).isEqualTo(16.0);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "\"top-k\": 2 | \"top-k\": 2, \"topk\": 3 | unknown key 'topk'",
        "\"layer\": 0 | \"layer\": 0, \"rank\": 3 | modules[0]: unknown key 'rank'",
        "\"seed\": 7, | `` | key 'seed' is missing",
        "\"seed\": 7 | \"seed\": 7.5 | "
            + "seed must be an integer from -9223372036854775808 to 9223372036854775807, not 7.5",
        "\"seed\": 7 | \"seed\": 7, \"seed\": 8 | Duplicate field 'seed' at line 4",
        "\"format-version\": 1 | \"format-version\": 2 | format-version is 2, this release reads 1",
        "[ 3, 8 ] | [ 3, 0 ] | modules[0]: ranks[1] must be an integer from 1 to 16384, not 0",
        "[ 3, 8 ] | [ 3, 99999999999999999999 ] | "
            + "modules[0]: ranks[1] must be an integer from 1 to 16384, not 99999999999999999999",
        "[ 3, 8 ] | [ 3, \"8\" ] | modules[0]: ranks[1] must be an integer from 1 to 16384, not \"8\"",
        "[ 3, 8 ] | 3 | modules[0]: ranks must be an array",
        "[ 3, 8 ] | [ 3, 8 ], \"routed-tokens\": [ 1 ] | modules[0]: routed-tokens has 1 entries, ranks has 2",
        "\"in-features\": 4 | \"in-features\": 0 | modules[0]: in-features must be an integer from 1 to 4194304, not 0",
        "\"alpha\": 16 | \"alpha\": \"16\" | alpha must be a number, not \"16\"",
        "\"alpha\": 16 | \"alpha\": 16, \"single-lora\": 1 | single-lora must be true or false, not 1",
        "\"alpha\": 16 | \"alpha\": 16, \"backbone-digest\": 6 | "
            + "backbone-digest must be a text of 1 to 256 characters, not 6",
        "\"file\" | \"\" | strategy must be a text of 1 to 256 characters, not \"\"",
      })
  void refusesAndNames(String good, String bad, String message) {
    assertThat(SMALL).contains(good);
    refused(SMALL.replace(good, bad), "Cannot read plan: " + message);
  }

  @Test
  void refusesWhatIsNoPlan() {
    refused("[]", "Cannot read plan: it must be a JSON object");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> AllocationPlanParser.fromJson(SMALL + "{}"))
        .withMessageStartingWith("Cannot read plan: Trailing token");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> AllocationPlanParser.fromJson("{\"format-version\": 1"))
        .withMessageStartingWith("Cannot read plan: Unexpected end-of-input");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> AllocationPlanParser.fromJson(""))
        .withMessage("Cannot read plan: it must be a JSON object");
  }

  @Test
  void refusesMoreThanAModelCanHave() {
    String ranks = "[1" + ",1".repeat(AllocationPlanParser.MAX_EXPERTS) + "]";
    refused(
        SMALL.replace("[ 3, 8 ]", ranks),
        "Cannot read plan: modules[0]: ranks has 1025 entries, maximum is 1024");
    refused(
        "x".repeat(StrictObject.MAX_CHARACTERS + 1),
        "Cannot read plan: it has 67108865 characters, maximum is 67108864");
  }

  @Test
  void refusesAnInvalidPlan() {
    refused(
        SMALL.replace("[ 3, 8 ]", "[ 3 ]"),
        "Cannot allocate 1 expert to layer 0 q_proj: minimum is 2");
    refused(
        SMALL.replace("[ 3, 8 ]", "[ ]"),
        "Cannot allocate 0 experts to layer 0 q_proj: minimum is 1");
    refused(
        SMALL.replace("\"alpha\": 16", "\"alpha\": 1e999"),
        "Cannot use alpha Infinity: it must be positive and finite");
  }

  private static void refused(String json, String message) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> AllocationPlanParser.fromJson(json))
        .withMessage(message);
  }
}
