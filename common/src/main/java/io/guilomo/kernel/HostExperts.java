package io.guilomo.kernel;

import org.nd4j.linalg.api.ndarray.INDArray;

/** The {@link ExpertKernels} that plain loops over host memory are fast enough for. */
public interface HostExperts extends ExpertKernels {

  @Override
  default void entropy(INDArray probabilities, INDArray result) {
    double sum = 0;
    for (float p : probabilities.dup('c').data().asFloat()) {
      sum -= p > 0 ? p * Math.log(p) : 0;
    }
    HostOperations.put(result, sum);
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
    new HostSparsegen(z, choice, weights, shortfall)
        .forward(logits, mask, target, replay, statistics);
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
    new HostSparsegen(z, choice, weights, shortfall).backward(dWeights, dShortfall, dLogits, dz);
  }

  @Override
  default void masks(int[] starts, int[] kinds, INDArray gsvs, INDArray masks) {
    HostOperations.set(masks, StraightThrough.masks(starts, kinds, HostOperations.values(gsvs)));
  }

  @Override
  default void masksBackward(
      int[] starts, int[] kinds, INDArray gsvs, INDArray dMasks, INDArray dGsvs) {
    HostOperations.set(
        dGsvs,
        StraightThrough.gradients(
            starts, kinds, HostOperations.values(gsvs), HostOperations.values(dMasks)));
  }
}
