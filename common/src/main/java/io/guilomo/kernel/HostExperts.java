package io.guilomo.kernel;

import org.nd4j.linalg.api.ndarray.INDArray;

/** The {@link ExpertKernels} that plain loops over host memory are fast enough for. */
public interface HostExperts extends ExpertKernels {

  /** Of one range of {@link KernelThreads}. */
  int TOKENS = 128;

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
    int experts = (int) logits.size(1);
    int tokens = (int) logits.size(0);
    int[] chosen = HostChoice.experts(choice);
    float[] masks = mask == null ? null : HostOperations.values(mask);
    float[] lacks = new float[tokens];
    KernelThreads.run(
        tokens,
        TOKENS,
        (from, to) -> {
          HostRows u = new HostRows(logits);
          HostRows thresholds = new HostRows(z);
          HostRows p = new HostRows(weights);
          HostRows lacking = new HostRows(shortfall);
          Sparsegen token = new Sparsegen(experts);
          for (int t = from; t < to; t++) {
            double lambda = Sparsegen.lambda(thresholds.read(t)[0]);
            token.begin(u.read(t), masks);
            if (!replay) {
              token.choose(lambda, chosen, t * experts);
            }
            token.weights(lambda, chosen, t * experts, p.row());
            p.write(t);
            lacks[t] = (float) token.shortfall(lambda, target);
            lacking.row()[0] = lacks[t];
            lacking.write(t);
          }
        });
    double[] sums = new double[experts + 1];
    for (int expert : chosen) {
      if (expert >= 0) {
        sums[expert]++;
      }
    }
    for (float one : lacks) {
      sums[experts] += one;
    }
    HostOperations.put(statistics, sums);
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
    int experts = (int) weights.size(1);
    int[] chosen = HostChoice.experts(choice);
    double sparser = HostOperations.values(dShortfall)[0];
    KernelThreads.run(
        (int) weights.size(0),
        TOKENS,
        (from, to) -> {
          HostRows dp = new HostRows(dWeights);
          HostRows p = new HostRows(weights);
          HostRows thresholds = new HostRows(z);
          HostRows lacking = new HostRows(shortfall);
          HostRows du = new HostRows(dLogits);
          HostRows dThresholds = new HostRows(dz);
          for (int t = from; t < to; t++) {
            double threshold = thresholds.read(t)[0];
            double dLambda =
                Sparsegen.backward(
                    Sparsegen.lambda(threshold),
                    chosen,
                    t * experts,
                    p.read(t),
                    dp.read(t),
                    du.row());
            du.write(t);
            dLambda -= lacking.read(t)[0] > 0 ? sparser : 0;
            dThresholds.read(t)[0] += (float) (dLambda * Sparsegen.slope(threshold));
            dThresholds.write(t);
          }
        });
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
