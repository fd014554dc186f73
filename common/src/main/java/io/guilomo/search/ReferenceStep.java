package io.guilomo.search;

import io.guilomo.data.TokenBatch;
import io.guilomo.kernel.Kernels;
import io.guilomo.network.LoraMoeNetwork;
import io.guilomo.network.PassOptions;
import io.guilomo.network.PassResult;
import io.guilomo.training.TrainingStep;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A search step as the authors' released code computes it (Liar406/Gui-LoMo, commit 6aabed0), to
 * reproduce its numbers.
 *
 * <p>It differs from {@link BilevelStep} in that gradients are not cleared between the passes, so
 * that
 *
 * <pre>
 *   v = ∂w L_train(w) + ∂w L_val(w')
 *   outer gradient = ∂a L_train(w) + ∂a L_val(w') + (η / 2ε) ∂a L_train(w − εv)
 * </pre>
 *
 * (the + pass cancels and is not run), and in that the moments of the inner AdamW advance in the
 * virtual step as well, except in the very first step, when there is no state yet to refer to.
 */
record ReferenceStep(
    LoraMoeNetwork network, Kernels kernels, SearchSettings settings, Updates updates) {

  SearchStepResult run(long step, TokenBatch train, TokenBatch validation) {
    INDArray w = network.weights();
    INDArray saved = network.workingVector("saved");
    INDArray g1 = network.workingVector("g1");
    INDArray v = network.workingVector("v");
    double eta = settings.innerRate().at(step);
    PassOptions training = updates.trainingPass(step);

    PassResult trained =
        TrainingStep.finite(
            "training", step, network.pass(train, training.with(PassOptions.Routing.RECORD)));
    INDArray outer = network.workingGsvs("outer");
    kernels.copy(network.gsvGradient(), outer);
    kernels.copy(network.weightGradient(), g1);
    kernels.copy(g1, v);
    double norm = updates.clip(g1);
    kernels.copy(w, saved);
    updates.inner(Math.max(1, 2 * step), eta, g1, false);

    PassResult validated = updates.validate(step, validation, saved);
    kernels.addScaled(v, 1, network.weightGradient(), v);
    kernels.addScaled(outer, 1, network.gsvGradient(), outer);
    if (step > 0) {
      // Repeats the virtual step to advance the moments: nothing may have changed if the validation
      // loss turns out not to be finite.
      kernels.copy(saved, w);
      updates.inner(2 * step, eta, g1, true);
    }

    double vNorm = kernels.norm(v);
    if (vNorm > 0) {
      double epsilon = BilevelStep.FINITE_DIFFERENCE / vNorm;
      kernels.addScaled(saved, -epsilon, v, w);
      network.pass(train, updates.subtractedPass(step));
      kernels.addScaled(outer, eta / (2 * epsilon), network.gsvGradient(), outer);
    }
    kernels.copy(saved, w);

    int moved = updates.outer(step, outer);
    if (moved > 0) {
      network.pass(train, training);
      kernels.copy(network.weightGradient(), g1);
      norm = updates.clip(g1);
    }
    updates.inner(2 * step + 1, eta, g1, true);
    return new SearchStepResult(trained, validated, eta, norm, vNorm, moved);
  }
}
