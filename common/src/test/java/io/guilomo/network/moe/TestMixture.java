package io.guilomo.network.moe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.guilomo.model.ExpertForm;
import io.guilomo.model.LinearModule;
import io.guilomo.model.ModuleExperts;
import io.guilomo.model.RoutingMethod;
import io.guilomo.model.Scaling;
import io.guilomo.model.Sharing;
import io.guilomo.model.UserException;
import io.guilomo.network.ArrayDeclarations;
import io.guilomo.network.BatchLoss;
import io.guilomo.network.NetworkDefinition;
import io.guilomo.network.Stage;
import io.guilomo.network.TinyModels;
import java.util.List;
import org.junit.jupiter.api.Test;

class TestMixture {

  private static final LinearModule QUERY = new LinearModule(0, "q_proj", 6, 4);

  private static ModuleExperts experts(RoutingMethod routing) {
    return ModuleExperts.of(QUERY, List.of(2, 1, 3), 6, routing);
  }

  @Test
  void topKHasNoParametersBesideG() {
    ModuleExperts module = experts(RoutingMethod.topK(2));
    assertThat(Mixture.routerParameters(module))
        .hasSize(1)
        .hasEntrySatisfying("router", shape -> assertThat(shape).containsExactly(3, 6));
    assertThat(Mixture.ownParameters(module)).isZero();
  }

  @Test
  void unknownRoutersAreRefused() {
    assertThatThrownBy(() -> Mixture.ownParameters(experts(new RoutingMethod("hash", 2))))
        .isInstanceOf(UserException.class)
        .hasMessage(
            "Cannot route by hash on layer 0 q_proj: expected one of [top-k, dense, sparsegen]");
  }

  @Test
  void someModulesOfAGroupCannotShare() {
    RoutingMethod routing = RoutingMethod.topK(2);
    NetworkDefinition definition =
        TinyModels.definition(
            TinyModels.llama(1), Stage.FINE_TUNING, List.of(experts(routing)), 0, 0);
    List<ModuleExperts> mixed =
        List.of(
            experts(routing),
            ModuleExperts.of(
                QUERY, List.of(1), new ExpertForm(routing, Sharing.SHARED_A, Scaling.overRank(6))));
    assertThatThrownBy(
            () -> new Mixture(definition).projection("0.qkv", mixed, new ArrayDeclarations("it")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Cannot share A in some modules of 0.qkv and not in others");
  }

  @Test
  void thresholdsAreShared() {
    ModuleExperts query = experts(new RoutingMethod(RoutingMethod.SPARSEGEN, 2));
    ModuleExperts key =
        ModuleExperts.of(new LinearModule(1, "k_proj", 6, 4), List.of(1), 6, query.routing());
    ModuleExperts down =
        ModuleExperts.of(new LinearModule(1, "down_proj", 9, 6), List.of(1), 6, query.routing());
    assertThat(Mixture.sharedParameters(List.of(query, down, key)))
        .containsOnlyKeys(
            "thresholds.6.hidden.weight",
            "thresholds.6.hidden.bias",
            "thresholds.6.output.weight",
            "thresholds.6.output.bias",
            "thresholds.9.hidden.weight",
            "thresholds.9.hidden.bias",
            "thresholds.9.output.weight",
            "thresholds.9.output.bias")
        .hasEntrySatisfying(
            "thresholds.9.hidden.weight", shape -> assertThat(shape).containsExactly(256, 9));
    assertThat(Mixture.sharedParameters(List.of(experts(RoutingMethod.topK(2))))).isEmpty();
    assertThat(Mixture.ownParameters(query)).isZero();
  }

  @Test
  void denseRoutingUsesAllAndBalancesNothing() {
    assertThat(new RoutingMethod(RoutingMethod.DENSE, 2).used(3)).isEqualTo(3);
    TopKRouter router =
        new TopKRouter(
            experts(new RoutingMethod(RoutingMethod.DENSE, 1)), new ArrayDeclarations("0.q-proj."));
    BatchLoss loss = new BatchLoss(3, 0.1, null);
    float[] gradient = new float[router.gradients()];
    router.evaluate(new double[] {3, 3, 3, 1.5, 0.9, 0.6, 0}, loss, gradient);
    assertThat(loss.value()).isZero();
    assertThat(gradient).containsOnly(0);
  }

  /** The tokens of the batch lack 0.6 together. */
  @Test
  void sparsityOfTheWholeBatch() {
    SparsegenRouter router =
        new SparsegenRouter(
            experts(new RoutingMethod(RoutingMethod.SPARSEGEN, 2)),
            null,
            new ArrayDeclarations("0.q-proj."));
    BatchLoss loss = new BatchLoss(3, 0.1, null);
    float[] gradient = new float[router.gradients()];
    router.evaluate(new double[] {2, 1, 3, 0.6, 0}, loss, gradient);
    assertThat(loss.value()).isCloseTo(0.2, within(1e-12));
    assertThat(gradient).containsExactly((float) (0.1 / 3));
  }

  @Test
  void neverMoreExpertsThanThereAre() {
    assertThat(RoutingMethod.topK(5).used(3)).isEqualTo(3);
    assertThat(RoutingMethod.topK(2).used(3)).isEqualTo(2);
  }

  /** Two of three slots went to the first expert, whose probabilities add up to 1.5. */
  @Test
  void balanceOfTheWholeBatch() {
    TopKRouter router =
        new TopKRouter(experts(RoutingMethod.topK(1)), new ArrayDeclarations("0.q-proj."));
    BatchLoss loss = new BatchLoss(3, 0.1, null);
    float[] gradient = new float[router.gradients()];
    router.evaluate(new double[] {2, 1, 0, 1.5, 0.9, 0.6, 0}, loss, gradient);
    assertThat(loss.value()).isCloseTo(2.0 / 3 * 1.5 + 1.0 / 3 * 0.9, within(1e-12));
    assertThat(gradient)
        .containsExactly((float) (0.1 * 3 * (2.0 / 3) / 3), (float) (0.1 * 3 * (1.0 / 3) / 3), 0f);
  }
}
