package io.guilomo.search;

import io.guilomo.data.TokenBatch;
import io.guilomo.kernel.Kernels;
import io.guilomo.network.LoraMoeNetwork;
import io.guilomo.network.PassOptions;
import io.guilomo.network.PassOptions.Gradient;
import io.guilomo.network.PassOptions.Routing;
import io.guilomo.network.PassResult;
import io.guilomo.training.TrainingStep;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * One step of GuiLoMo's bilevel optimisation (arXiv 2506.14646, eq. 5–9; the outer gradient is that
 * of DARTS, arXiv 1806.09055, eq. 7–8). Inner variables {@code w} are the experts and routers,
 * outer variables {@code a} the GSVs:
 *
 * <pre>
 *   1  g1 = ∂w L_train(w, a);   w' = AdamW(w, g1)            virtual: the moments do not advance
 *   2  v  = ∂w L_val(w', a);    d  = ∂a L_val(w', a)
 *   3  ε  = 0.01 / ‖v‖
 *   4  c  = ( ∂a L_train(w + εv, a) − ∂a L_train(w − εv, a) ) / 2ε
 *   5  a  ← AdamW(a, d − η c)
 *   6  w  ← AdamW(w, ∂w L_train(w, a))
 * </pre>
 *
 * Hard masks depend on {@code a} only through argmaxes: if step 5 moves none, the gradient of step
 * 6 is {@code g1} and is not computed again. Masks that are expectations ({@link MirrorDescent},
 * which takes the place of AdamW in step 5) change with every step, so that all five passes are
 * run; in first order, which has no use for {@code g1} before step 6, two.
 */
public final class BilevelStep {

  static final double FINITE_DIFFERENCE = 0.01;

  private final LoraMoeNetwork network;
  private final Kernels kernels;
  private final SearchSettings settings;
  private final Updates updates;

  public BilevelStep(LoraMoeNetwork network, Kernels kernels, SearchSettings settings) {
    this.network = network;
    this.kernels = kernels;
    this.settings = settings;
    this.updates = new Updates(network, kernels, settings);
  }

  /**
   * Updates {@code w} and {@code a} by one step.
   *
   * @param step number of the step, from 0: position in the learning-rate schedule and age of the
   *     moments
   * @throws ArithmeticException if a loss is not finite; nothing has changed then
   */
  public SearchStepResult run(long step, TokenBatch train, TokenBatch validation) {
    return switch (settings.outerGradient()) {
      case SECOND_ORDER -> secondOrder(step, train, validation);
      case FIRST_ORDER ->
          updates.soft()
              ? softFirstOrder(step, train, validation)
              : firstOrder(step, train, validation);
      case REFERENCE ->
          new ReferenceStep(network, kernels, settings, updates).run(step, train, validation);
    };
  }

  private SearchStepResult secondOrder(long step, TokenBatch train, TokenBatch validation) {
    INDArray w = network.weights();
    INDArray saved = network.workingVector("saved");
    INDArray g1 = network.workingVector("g1");
    INDArray v = network.workingVector("v");
    INDArray outer = network.workingGsvs("outer");
    INDArray difference = network.workingGsvs("difference");
    double eta = settings.innerRate().at(step);
    PassOptions training = updates.trainingPass(step);

    // 1  g1 = ∂w L_train(w, a);  w' = AdamW(w, g1)
    PassResult trained =
        TrainingStep.finite("training", step, network.pass(train, training.with(Routing.RECORD)));
    kernels.copy(network.weightGradient(), g1);
    double norm = updates.clip(g1);
    kernels.copy(w, saved);
    updates.inner(step + 1, eta, g1, false);

    // 2  v = ∂w L_val(w', a);  d = ∂a L_val(w', a)
    PassResult validated = updates.validate(step, validation, saved);
    kernels.copy(network.weightGradient(), v);
    kernels.copy(network.gsvGradient(), outer);

    // 3  ε = 0.01 / ‖v‖
    double vNorm = kernels.norm(v);
    if (vNorm > 0) {
      double epsilon = FINITE_DIFFERENCE / vNorm;

      // 4  c = ( ∂a L_train(w + εv, a) − ∂a L_train(w − εv, a) ) / 2ε
      PassOptions gsvsOnly =
          updates
              .subtractedPass(step)
              .with(settings.freezeRouting() ? Routing.REPLAY : Routing.CHOOSE);
      kernels.addScaled(saved, epsilon, v, w);
      network.pass(train, gsvsOnly);
      kernels.copy(network.gsvGradient(), difference);
      kernels.addScaled(saved, -epsilon, v, w);
      network.pass(train, gsvsOnly);
      kernels.addScaled(difference, -1, network.gsvGradient(), difference);

      // 5  d − η c
      kernels.addScaled(outer, -eta / (2 * epsilon), difference, outer);
    }
    kernels.copy(saved, w);

    // 5  a ← AdamW(a, d − η c)
    int moved = updates.outer(step, outer);

    // 6  w ← AdamW(w, ∂w L_train(w, a))
    if (moved > 0 || updates.soft()) {
      network.pass(train, training);
      kernels.copy(network.weightGradient(), g1);
      norm = updates.clip(g1);
    }
    updates.inner(step + 1, eta, g1, true);
    return new SearchStepResult(trained, validated, eta, norm, vNorm, moved);
  }

  /** {@code c = 0} and {@code w' = w}. */
  private SearchStepResult firstOrder(long step, TokenBatch train, TokenBatch validation) {
    double eta = settings.innerRate().at(step);
    PassOptions training = updates.trainingPass(step);
    PassResult trained =
        TrainingStep.finite("training", step, network.pass(train, training.with(Routing.RECORD)));
    INDArray g1 = network.workingVector("g1");
    kernels.copy(network.weightGradient(), g1);
    double norm = updates.clip(g1);
    PassResult validated =
        TrainingStep.finite(
            "validation",
            step,
            network.pass(validation, updates.validationPass(step).with(Gradient.GSVS)));
    int moved = updates.outer(step, network.gsvGradient());
    if (moved > 0) {
      network.pass(train, training);
      kernels.copy(network.weightGradient(), g1);
      norm = updates.clip(g1);
    }
    updates.inner(step + 1, eta, g1, true);
    return new SearchStepResult(trained, validated, eta, norm, 0, moved);
  }

  /**
   * {@code c = 0} and {@code w' = w}, and {@code a} moves before the weights' gradient is needed.
   */
  private SearchStepResult softFirstOrder(long step, TokenBatch train, TokenBatch validation) {
    double eta = settings.innerRate().at(step);
    PassResult validated =
        TrainingStep.finite(
            "validation",
            step,
            network.pass(validation, updates.validationPass(step).with(Gradient.GSVS)));
    updates.saveOuter();
    int moved = updates.outer(step, network.gsvGradient());
    INDArray g1 = network.workingVector("g1");
    try {
      PassResult trained =
          TrainingStep.finite(
              "training",
              step,
              network.pass(train, updates.trainingPass(step).with(Routing.RECORD)));
      kernels.copy(network.weightGradient(), g1);
      double norm = updates.clip(g1);
      updates.inner(step + 1, eta, g1, true);
      return new SearchStepResult(trained, validated, eta, norm, 0, moved);
    } catch (ArithmeticException e) {
      updates.restoreOuter();
      throw e;
    }
  }
}
