package io.guilomo.inference;

import io.guilomo.data.TokenBatch;
import io.guilomo.network.LoraMoeNetwork;
import java.util.Arrays;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Class probabilities of sequences. */
public final class Classifier {

  private final LoraMoeNetwork network;

  /**
   * @throws IllegalArgumentException for a causal language model
   */
  public Classifier(LoraMoeNetwork network) {
    if (network.classes() == 0) {
      throw new IllegalArgumentException(
          "Cannot classify with a causal language model: it has no classes");
    }
    this.network = network;
  }

  /** Softmax of the logits, {@code [sequences, classes]}. */
  public double[][] probabilities(TokenBatch batch) {
    INDArray logits = network.logits(batch);
    int classes = network.classes();
    float[] all = logits.dup('c').data().asFloat();
    double[][] probabilities = new double[batch.sequences()][classes];
    for (int i = 0; i < probabilities.length; i++) {
      float largest = Float.NEGATIVE_INFINITY;
      for (int c = 0; c < classes; c++) {
        largest = Math.max(largest, all[i * classes + c]);
      }
      for (int c = 0; c < classes; c++) {
        probabilities[i][c] = Math.exp(all[i * classes + c] - (double) largest);
      }
      double sum = Arrays.stream(probabilities[i]).sum();
      for (int c = 0; c < classes; c++) {
        probabilities[i][c] /= sum;
      }
    }
    return probabilities;
  }
}
