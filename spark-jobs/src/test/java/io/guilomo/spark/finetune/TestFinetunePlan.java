package io.guilomo.spark.finetune;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.family.bert.BertConfig;
import io.guilomo.model.ModuleExperts;
import io.guilomo.model.RoutingMethod;
import io.guilomo.plan.AllocationPlan;
import io.guilomo.plan.UniformAllocation;
import io.guilomo.spark.worker.PlainTraining;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class TestFinetunePlan {

  private static final BertConfig BERT = new BertConfig(8, 16, 2, 2, 30, 16, 2, 1e-12f);

  @Test
  void epochsMakeStepsAndRounds() {
    // 25 records in batches of 4 are 7 passes, two to a step: 4 steps an epoch, 12 in three.
    FinetunePlan plan =
        plan(BERT, "finetune.epochs=3", "finetune.batch-size=4", "finetune.accumulation-steps=2");
    assertThat(plan.training().rounds().steps()).isEqualTo(12);
    assertThat(plan.training().rounds().count()).isEqualTo(3);
    assertThat(plan.training().rounds().round(3).endStep()).isEqualTo(12);
    assertThat(plan.training().rounds().round(3).firstStep()).isEqualTo(10);
    assertThat(plan.training().network().modules())
        .hasSize(12)
        .extracting(ModuleExperts::ranks)
        .containsOnly(List.of(3, 3));
    assertThat(((PlainTraining) plan.training().training()).learningRate().totalSteps())
        .isEqualTo(12);
  }

  @Test
  void aModelIsValidatedAtTheEndOfTheRoundThatFinishesAnEpoch() {
    FinetunePlan plan = plan(BERT, "finetune.epochs=3", "finetune.batch-size=4");
    // Epochs end with steps 7, 14 and 21, rounds with 5, 10, 15, 20 and 21.
    assertThat(validated(plan, 5)).containsExactly(2L, 3L, 5L);
  }

  @Test
  void stepsAndValidationsCanBeGiven() {
    FinetunePlan plan =
        plan(BERT, "finetune.steps=30", "finetune.validate-every-steps=10", "finetune.epochs=1");
    assertThat(plan.training().rounds().steps()).isEqualTo(30);
    assertThat(validated(plan, 6)).containsExactly(2L, 4L, 6L);
  }

  @Test
  void aPlanForAnotherModelIsRefused() {
    BertConfig wider = new BertConfig(12, 16, 2, 2, 30, 16, 2, 1e-12f);
    AllocationPlan allocation =
        new UniformAllocation(2, 3, RoutingMethod.topK(2), 16).plan(wider.linearModules());
    GuilomoConfig config = GuilomoConfig.load(null, List.of("model.path=m"));
    assertThatThrownBy(() -> FinetunePlan.of(config, BERT, allocation, 1, 25, 2))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "Cannot fine-tune m with a plan made for layer 0 query of 12×12 features: the model has no such module");
  }

  @Test
  void aPlanForAModelOfOtherDepthIsRefused() {
    BertConfig deeper = new BertConfig(8, 16, 3, 2, 30, 16, 2, 1e-12f);
    AllocationPlan shallow =
        new UniformAllocation(2, 3, RoutingMethod.topK(2), 16).plan(BERT.linearModules());
    AllocationPlan deep =
        new UniformAllocation(2, 3, RoutingMethod.topK(2), 16).plan(deeper.linearModules());
    GuilomoConfig config = GuilomoConfig.load(null, List.of("model.path=m"));
    assertThatThrownBy(() -> FinetunePlan.of(config, deeper, shallow, 1, 25, 2))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "Cannot fine-tune m with a plan made for fewer layers: the model has layer 2 query, of which the plan says nothing");
    assertThatThrownBy(() -> FinetunePlan.of(config, BERT, deep, 1, 25, 2))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "Cannot fine-tune m with a plan made for layer 2 query of 8×8 features: the model has no such module");
  }

  @Test
  void aPlanMayLeaveKindsOfModulesOut() {
    AllocationPlan queries =
        new UniformAllocation(2, 3, RoutingMethod.topK(2), 16)
            .plan(
                BERT.linearModules().stream()
                    .filter(module -> module.name().equals("query"))
                    .toList());
    GuilomoConfig config = GuilomoConfig.load(null, List.of("model.path=m"));
    assertThat(FinetunePlan.of(config, BERT, queries, 1, 25, 2).training().network().modules())
        .hasSize(2);
  }

  /** The rounds, from 1, after which the model is validated. */
  private static LongStream validated(FinetunePlan plan, int rounds) {
    assertThat(plan.training().rounds().count()).isEqualTo(rounds);
    return LongStream.rangeClosed(1, rounds)
        .filter(r -> plan.training().rounds().round(r).completes(plan.stepsPerValidation()));
  }

  private static FinetunePlan plan(BertConfig backbone, String... overrides) {
    GuilomoConfig config =
        GuilomoConfig.load(null, List.of("model.path=m")).with(List.of(overrides));
    AllocationPlan allocation =
        new UniformAllocation(2, 3, RoutingMethod.topK(2), 16).plan(backbone.linearModules());
    return FinetunePlan.of(config, backbone, allocation, 1, 25, 2);
  }
}
