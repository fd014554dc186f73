package io.guilomo.inference;

import io.guilomo.data.TokenBatch;
import io.guilomo.model.UserException;
import io.guilomo.network.LoraMoeNetwork;
import java.util.Arrays;
import java.util.stream.IntStream;

/** Class probabilities of sequences. */
public record Classifier(LoraMoeNetwork network) {

  /**
   * @throws UserException if the model is a causal language model
   */
  public Classifier {
    if (network.classes() == 0) {
      throw new UserException("Cannot classify with a causal language model: it has no classes");
    }
  }

  /** Softmax of the logits, {@code [sequences, classes]}. */
  public double[][] probabilities(TokenBatch batch) {
    return Arrays.stream(network.logitRows(batch), 0, batch.sequences())
        .map(logits -> IntStream.range(0, network.classes()).mapToDouble(c -> logits[c]).toArray())
        .map(ChoiceScores::softmax)
        .toArray(double[][]::new);
  }
}
