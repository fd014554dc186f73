package io.guilomo.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.guilomo.family.bert.BertConfig;
import io.guilomo.family.llama.Decoder;
import io.guilomo.model.ExpertForm;
import io.guilomo.model.LinearModule;
import io.guilomo.model.RoutingMethod;
import io.guilomo.model.Scaling;
import io.guilomo.network.GoldenNetwork;
import java.util.List;
import org.junit.jupiter.api.Test;

class TestReleasedPlanFormat {
  private static final ReleasedPlanFormat LLAMA3 = new ReleasedPlanFormat(Decoder.PATHS);

  @Test
  void ranksOfAllCandidates() {
    assertThat(LLAMA3.rankJson(Plans.learned()))
        .isEqualTo(
            """
            {
                "model.layers.0.self_attn.q_proj.expertlora_E_vector_0": 3,
                "model.layers.0.self_attn.q_proj.expertlora_E_vector_1": 8,
                "model.layers.1.mlp.down_proj.expertlora_E_vector_0": 1,
                "model.layers.1.mlp.down_proj.expertlora_E_vector_1": 2,
                "model.layers.1.mlp.down_proj.expertlora_E_vector_2": 4,
                "model.layers.1.mlp.down_proj.expertlora_E_vector_3": 7
            }""");
    assertThat(LLAMA3.expertJson(Plans.learned()))
        .isEqualTo(
            """
            {
                "model.layers.0.self_attn.q_proj": 2,
                "model.layers.1.mlp.down_proj": 3
            }""");
  }

  @Test
  void llamaListsDownBeforeUp() {
    AllocationPlan plan =
        new UniformAllocation(2, 1, RoutingMethod.topK(2), 16).plan(Plans.llama(8, 16, 1, 2, 2));
    assertThat(new ReleasedPlanFormat(GoldenNetwork.DOWN_BEFORE_UP).expertJson(plan))
        .isEqualTo(
            """
            {
                "model.layers.0.self_attn.q_proj": 2,
                "model.layers.0.self_attn.k_proj": 2,
                "model.layers.0.self_attn.v_proj": 2,
                "model.layers.0.self_attn.o_proj": 2,
                "model.layers.0.mlp.gate_proj": 2,
                "model.layers.0.mlp.down_proj": 2,
                "model.layers.0.mlp.up_proj": 2
            }""");
    assertThat(LLAMA3.expertJson(plan).lines())
        .containsSubsequence(
            "    \"model.layers.0.mlp.gate_proj\": 2,",
            "    \"model.layers.0.mlp.up_proj\": 2,",
            "    \"model.layers.0.mlp.down_proj\": 2");
  }

  @Test
  void encodersHaveTheirHuggingFacePaths() {
    List<LinearModule> modules = Plans.bert();
    AllocationPlan plan = new UniformAllocation(2, 1, RoutingMethod.topK(2), 16).plan(modules);
    assertThat(new ReleasedPlanFormat(BertConfig.PATHS).expertJson(plan))
        .isEqualTo(
            """
            {
                "encoder.layer.0.attention.self.query": 2,
                "encoder.layer.0.attention.self.key": 2,
                "encoder.layer.0.attention.self.value": 2,
                "encoder.layer.0.attention.output.dense": 2,
                "encoder.layer.0.intermediate.dense": 2,
                "encoder.layer.0.output.dense": 2
            }""");
  }

  @Test
  void readsWhatItWrites() {
    AllocationPlan plan = Plans.learned();
    AllocationPlan read = read(LLAMA3.rankJson(plan), LLAMA3.expertJson(plan));
    assertThat(read.module(Plans.QUERY).experts())
        .containsExactly(ExpertPlan.ofRank(3), ExpertPlan.ofRank(8));
    assertThat(read.module(Plans.DOWN).unallocatedRanks()).containsExactly(7);
    assertThat(LLAMA3.rankJson(read)).isEqualTo(LLAMA3.rankJson(plan));
    assertThat(LLAMA3.expertJson(read)).isEqualTo(LLAMA3.expertJson(plan));
  }

  @Test
  void refusesWhatDoesNotFitTheModules() {
    String ranks = LLAMA3.rankJson(Plans.learned());
    String experts = LLAMA3.expertJson(Plans.learned());
    refused(
        ranks.replace("vector_3", "vector_9"),
        experts,
        "Cannot read rank.json: unknown key 'model.layers.1.mlp.down_proj.expertlora_E_vector_9'");
    refused(
        ranks,
        experts.replace("down_proj\": 3", "down_proj\": 5"),
        "Cannot read rank.json: key 'model.layers.1.mlp.down_proj.expertlora_E_vector_4' is missing");
    refused(
        ranks,
        experts.replace("layers.1", "layers.2"),
        "Cannot read expert.json: key 'model.layers.1.mlp.down_proj' is missing");
    refused(
        ranks,
        experts.replace("{", "{\"lm_head\": 2,"),
        "Cannot read expert.json: unknown key 'lm_head'");
    refused(
        ranks,
        experts.replace("q_proj\": 2", "q_proj\": 0"),
        "Cannot read expert.json: model.layers.0.self_attn.q_proj must be an integer from 1 to 1024, not 0");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new ReleasedPlanFormat(BertConfig.PATHS).rankJson(Plans.learned()))
        .withMessage(
            "Cannot name the state-dict path of layer 0 q_proj: "
                + "known are query, key, value, attention_output, intermediate, output");
  }

  private static AllocationPlan read(String ranks, String experts) {
    return LLAMA3.read(
        ranks,
        experts,
        List.of(Plans.QUERY, Plans.DOWN),
        "file",
        new ExpertForm(RoutingMethod.topK(2), Scaling.overRank(16)));
  }

  private static void refused(String ranks, String experts, String message) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> read(ranks, experts))
        .withMessage(message);
  }
}
