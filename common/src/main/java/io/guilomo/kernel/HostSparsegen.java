package io.guilomo.kernel;

import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * {@link Sparsegen} of all tokens of one module, in host memory.
 *
 * @param z as in {@link ExpertKernels#sparsegen}, and so are the others
 */
record HostSparsegen(INDArray z, ExpertChoice choice, INDArray weights, INDArray shortfall) {

  /** Tokens of one range of {@link KernelThreads}. */
  private static final int TOKENS = 128;

  /** Some rows of what both directions use. */
  private final class Rows {
    private final HostRows z = new HostRows(z());
    private final HostRows weights = new HostRows(weights());
    private final HostRows shortfall = new HostRows(shortfall());
  }

  void forward(INDArray logits, INDArray mask, int target, boolean replay, INDArray statistics) {
    int experts = (int) logits.size(1);
    int tokens = (int) logits.size(0);
    int[] chosen = HostChoice.experts(choice);
    float[] masks = mask == null ? null : HostOperations.values(mask);
    float[] lacking = new float[tokens];
    KernelThreads.run(
        tokens,
        TOKENS,
        (from, to) -> {
          Rows rows = new Rows();
          HostRows u = new HostRows(logits);
          Sparsegen token = new Sparsegen(experts);
          for (int t = from; t < to; t++) {
            double lambda = Sparsegen.lambda(rows.z.read(t)[0]);
            token.begin(u.read(t), masks);
            if (!replay) {
              token.choose(lambda, chosen, t * experts);
            }
            token.weights(lambda, chosen, t * experts, rows.weights.row());
            rows.weights.write(t);
            lacking[t] = (float) token.shortfall(lambda, target);
            rows.shortfall.row()[0] = lacking[t];
            rows.shortfall.write(t);
          }
        });
    double[] sums = new double[experts + 1];
    for (int expert : chosen) {
      if (expert >= 0) {
        sums[expert]++;
      }
    }
    for (float one : lacking) {
      sums[experts] += one;
    }
    HostOperations.put(statistics, sums);
  }

  void backward(INDArray dWeights, INDArray dShortfall, INDArray dLogits, INDArray dz) {
    int experts = (int) weights.size(1);
    int[] chosen = HostChoice.experts(choice);
    double sparser = HostOperations.values(dShortfall)[0];
    KernelThreads.run(
        (int) weights.size(0),
        TOKENS,
        (from, to) -> {
          Rows rows = new Rows();
          HostRows dp = new HostRows(dWeights);
          HostRows du = new HostRows(dLogits);
          HostRows dRow = new HostRows(dz);
          for (int t = from; t < to; t++) {
            double threshold = rows.z.read(t)[0];
            double dLambda =
                Sparsegen.backward(
                    Sparsegen.lambda(threshold),
                    chosen,
                    t * experts,
                    rows.weights.read(t),
                    dp.read(t),
                    du.row());
            du.write(t);
            dLambda -= rows.shortfall.read(t)[0] > 0 ? sparser : 0;
            dRow.read(t)[0] += (float) (dLambda * Sparsegen.slope(threshold));
            dRow.write(t);
          }
        });
  }
}
