package io.guilomo.inference;

import io.guilomo.metric.Scored;
import io.guilomo.uncertainty.Probabilities;
import java.io.Serializable;

/**
 * How likely each response to a prompt is.
 *
 * @param logLikelihoods {@code Σ log p} over the tokens of each response, given the prompt
 * @param tokens number of tokens of each response
 */
public record ChoiceScores(double[] logLikelihoods, int[] tokens) implements Serializable {

  /** {@code log p} per token, so that long responses can be compared with short ones. */
  public double[] means() {
    double[] means = logLikelihoods.clone();
    for (int i = 0; i < means.length; i++) {
      means[i] /= tokens[i];
    }
    return means;
  }

  /**
   * The probability of each response among these: softmax of the log-likelihoods.
   *
   * @param normalised whether to use the log-likelihoods per token
   */
  public double[] probabilities(boolean normalised) {
    return Probabilities.softmax(normalised ? means() : logLikelihoods);
  }

  /** The most likely response as the answer, with the loss of the correct one among these. */
  public Scored scored(int gold, boolean normalised) {
    return Scored.of(probabilities(normalised), gold);
  }
}
