package io.guilomo.search;

import static org.assertj.core.api.Assertions.assertThat;

import io.guilomo.config.SearchConfig.OuterGradient;
import io.guilomo.data.TokenBatch;
import io.guilomo.network.LoraMoeNetwork;
import io.guilomo.network.PassOptions;
import io.guilomo.network.TinyModels;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The six sub-steps of a search step as it has been recorded, by the names of the golden vectors.
 */
final class SubSteps {

  private final LoraMoeNetwork network;
  private final OuterGradient mode;
  private final SearchStepResult result;
  private final List<Double> losses;
  private final Map<String, INDArray> vectors = new LinkedHashMap<>();
  private double epsilon;

  SubSteps(
      LoraMoeNetwork network,
      RecordedStep recorded,
      SearchSettings settings,
      SearchStepResult result) {
    this.network = network;
    this.mode = settings.outerGradient();
    this.result = result;
    this.losses = new ArrayList<>(recorded.losses());
    int passes =
        switch (mode) {
          case FIRST_ORDER -> 2;
          case REFERENCE -> 3;
          case SECOND_ORDER -> 4;
        };
    assertThat(losses).hasSize(result.movedChoices() > 0 ? passes + 1 : passes);

    long weights = network.weights().length();
    long gsvs = network.gsvs().length();
    if (mode != OuterGradient.FIRST_ORDER) {
      RecordedStep.Update virtual = recorded.updates(weights).get(0);
      RecordedStep.Sum minus = last(recorded.sums(weights));
      RecordedStep.Sum correction = last(recorded.sums(gsvs));
      epsilon = -minus.factor();
      vectors.put("unrolled_w_grad", virtual.gradient());
      vectors.put("w_unrolled", virtual.result());
      vectors.put("vector", minus.y());
      vectors.put("dalpha_before_implicit", correction.x());
      vectors.put("hvp.w_plus", plus(recorded.sums(weights)));
      vectors.put("hvp.w_minus", minus.result());
      vectors.put("implicit", correction.y().mul(-correction.factor() / result.learningRate()));
    }
    vectors.put("alpha_grad_final", last(recorded.updates(gsvs)).gradient());
    vectors.put("w_grad_clipped", last(recorded.updates(weights)).gradient());
  }

  private INDArray plus(List<RecordedStep.Sum> sums) {
    RecordedStep.Sum minus = last(sums);
    if (mode == OuterGradient.REFERENCE) {
      // The + pass cancels there and is not run.
      return minus.x().add(minus.y().mul(epsilon));
    }
    RecordedStep.Sum plus = sums.get(sums.size() - 2);
    assertThat(plus.factor()).as("ε of the + pass").isEqualTo(epsilon);
    return plus.result();
  }

  /** The vectors of weights and of GSVs that the step has computed on its way. */
  Map<String, INDArray> vectors() {
    return vectors;
  }

  double epsilon() {
    return epsilon;
  }

  /** The training loss in step 6: if no choice has moved, that of step 1. */
  double trainLoss() {
    return result.movedChoices() > 0 ? last(losses) : result.training().taskLoss();
  }

  double minusLoss() {
    return losses.get(mode == OuterGradient.REFERENCE ? 2 : 3);
  }

  /**
   * The training loss at {@code w + εv}.
   *
   * @param before all parameters before the step
   */
  double plusLoss(INDArray before, TokenBatch train) {
    if (mode != OuterGradient.REFERENCE) {
      return losses.get(2);
    }
    network.download();
    INDArray parameters = network.host().parameters();
    INDArray after = parameters.dup();
    parameters.assign(before);
    TinyModels.weights(network).assign(vectors.get("hvp.w_plus"));
    network.upload();
    double loss = network.pass(train, PassOptions.training(0)).taskLoss();
    parameters.assign(after);
    network.upload();
    return loss;
  }

  private static <T> T last(List<T> list) {
    return list.get(list.size() - 1);
  }
}
