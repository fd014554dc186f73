package io.guilomo.kernel;

import static io.guilomo.kernel.KernelArguments.doubles;
import static io.guilomo.kernel.KernelArguments.expertInputs;
import static io.guilomo.kernel.KernelArguments.matrix;
import static io.guilomo.kernel.KernelArguments.routing;
import static io.guilomo.kernel.KernelArguments.sameShape;
import static io.guilomo.kernel.KernelArguments.selections;
import static io.guilomo.kernel.KernelArguments.size;
import static io.guilomo.kernel.KernelArguments.vector;

import org.nd4j.linalg.api.ndarray.INDArray;

/** {@link ExpertKernels} that check their arguments. */
interface CheckedExperts extends ExpertKernels {

  Operations operations();

  @Override
  default void route(
      INDArray logits,
      INDArray mask,
      int topK,
      boolean replay,
      ExpertChoice choice,
      INDArray probabilities,
      INDArray weights,
      INDArray statistics) {
    matrix("logits", logits);
    if (mask != null) {
      vector("mask", mask, logits.size(1));
    }
    routing(logits, topK, choice, replay);
    sameShape("probabilities", probabilities, logits);
    sameShape("weights", weights, logits);
    doubles("statistics", statistics, 2 * logits.size(1));
    operations()
        .experts()
        .route(logits, mask, topK, replay, choice, probabilities, weights, statistics);
  }

  @Override
  default void entropy(INDArray probabilities, INDArray result) {
    matrix("probabilities", probabilities);
    doubles("result", result, 1);
    operations().experts().entropy(probabilities, result);
  }

  @Override
  default void routeBackward(
      INDArray dWeights,
      INDArray dProbabilities,
      int topK,
      ExpertChoice choice,
      INDArray probabilities,
      INDArray weights,
      INDArray dLogits) {
    matrix("gradient of weights", dWeights);
    routing(dWeights, topK, choice, true);
    if (dProbabilities != null) {
      vector("gradient of probabilities", dProbabilities, dWeights.size(1));
    }
    sameShape("probabilities", probabilities, dWeights);
    sameShape("weights", weights, dWeights);
    sameShape("gradient of logits", dLogits, dWeights);
    operations()
        .experts()
        .routeBackward(dWeights, dProbabilities, topK, choice, probabilities, weights, dLogits);
  }

  @Override
  default void sparsegen(
      INDArray logits,
      INDArray mask,
      INDArray z,
      int target,
      boolean replay,
      ExpertChoice choice,
      INDArray weights,
      INDArray shortfall,
      INDArray statistics) {
    matrix("logits", logits);
    if (mask != null) {
      vector("mask", mask, logits.size(1));
    }
    matrix("z", z, logits.size(0), 1);
    size("choices", choice.length(), logits.length());
    sameShape("weights", weights, logits);
    sameShape("shortfall", shortfall, z);
    doubles("statistics", statistics, logits.size(1) + 1);
    operations()
        .experts()
        .sparsegen(logits, mask, z, target, replay, choice, weights, shortfall, statistics);
  }

  @Override
  default void sparsegenBackward(
      INDArray dWeights,
      INDArray dShortfall,
      INDArray z,
      ExpertChoice choice,
      INDArray weights,
      INDArray shortfall,
      INDArray dLogits,
      INDArray dz) {
    matrix("gradient of weights", dWeights);
    vector("gradient of shortfall", dShortfall, 1);
    matrix("z", z, dWeights.size(0), 1);
    size("choices", choice.length(), dWeights.length());
    sameShape("weights", weights, dWeights);
    sameShape("shortfall", shortfall, z);
    sameShape("gradient of logits", dLogits, dWeights);
    sameShape("gradient of z", dz, z);
    operations()
        .experts()
        .sparsegenBackward(dWeights, dShortfall, z, choice, weights, shortfall, dLogits, dz);
  }

  @Override
  default void scaleExperts(
      INDArray h, INDArray weights, INDArray coefficients, int[] firstColumn, INDArray z) {
    expertInputs(h, weights, coefficients, firstColumn);
    sameShape("z", z, h);
    operations().experts().scaleExperts(h, weights, coefficients, firstColumn, z);
  }

  @Override
  default void scaleExpertsBackward(
      INDArray dz,
      INDArray h,
      boolean restoreZ,
      INDArray weights,
      INDArray coefficients,
      int[] firstColumn,
      INDArray dWeights,
      INDArray dCoefficients) {
    expertInputs(h, weights, coefficients, firstColumn);
    sameShape("dz", dz, h);
    sameShape("gradient of weights", dWeights, weights);
    if (dCoefficients != null) {
      vector("gradient of coefficients", dCoefficients, h.size(1));
    }
    operations()
        .experts()
        .scaleExpertsBackward(
            dz, h, restoreZ, weights, coefficients, firstColumn, dWeights, dCoefficients);
  }

  @Override
  default void masks(int[] starts, int[] kinds, INDArray gsvs, INDArray masks) {
    vector("vectors", gsvs);
    selections(starts, kinds, gsvs.length());
    vector("masks", masks, gsvs.length());
    operations().experts().masks(starts, kinds, gsvs, masks);
  }

  @Override
  default void masksBackward(
      int[] starts, int[] kinds, INDArray gsvs, INDArray dMasks, INDArray dGsvs) {
    vector("vectors", gsvs);
    selections(starts, kinds, gsvs.length());
    vector("gradient of masks", dMasks, gsvs.length());
    vector("gradient of vectors", dGsvs, gsvs.length());
    operations().experts().masksBackward(starts, kinds, gsvs, dMasks, dGsvs);
  }
}
