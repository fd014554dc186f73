package io.guilomo.uncertainty;

/** How the probabilities of classes come from what a classifier's head has read and made of it. */
@FunctionalInterface
public interface Predictive {

  /** Those of the trained weights. */
  Predictive TRAINED = (logits, features) -> Probabilities.softmax(logits);

  /**
   * @param logits of the trained weights, {@code [classes]}
   * @param features without a bias's, {@code [hidden]}
   */
  double[] probabilities(double[] logits, float[] features);

  /**
   * The mean over the weights that an approximation of their posterior thinks possible.
   *
   * @param samples of the logits whose mean is taken; 0: the probit approximation
   * @param seed of the samples
   */
  static Predictive of(HeadLaplace laplace, int samples, long seed) {
    if (samples == 0) {
      return (logits, features) -> laplace.logits(logits, features).probit();
    }
    double[][] normals = LogitDistribution.normals(samples, laplace.classes(), seed);
    return (logits, features) -> laplace.logits(logits, features).sampled(normals);
  }
}
