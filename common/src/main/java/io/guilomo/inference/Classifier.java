package io.guilomo.inference;

import io.guilomo.data.TokenBatch;
import io.guilomo.model.UserException;
import io.guilomo.network.LoraMoeNetwork;
import java.util.Arrays;

/** Class probabilities of sequences. */
public final class Classifier {

  private final LoraMoeNetwork network;

  /**
   * @throws UserException if the model is a causal language model
   */
  public Classifier(LoraMoeNetwork network) {
    if (network.classes() == 0) {
      throw new UserException("Cannot classify with a causal language model: it has no classes");
    }
    this.network = network;
  }

  /** Softmax of the logits, {@code [sequences, classes]}. */
  public double[][] probabilities(TokenBatch batch) {
    float[][] logits = network.logitRows(batch);
    int classes = network.classes();
    double[][] probabilities = new double[batch.sequences()][classes];
    for (int i = 0; i < probabilities.length; i++) {
      float largest = Float.NEGATIVE_INFINITY;
      for (int c = 0; c < classes; c++) {
        largest = Math.max(largest, logits[i][c]);
      }
      for (int c = 0; c < classes; c++) {
        probabilities[i][c] = Math.exp(logits[i][c] - (double) largest);
      }
      double sum = Arrays.stream(probabilities[i]).sum();
      for (int c = 0; c < classes; c++) {
        probabilities[i][c] /= sum;
      }
    }
    return probabilities;
  }
}
