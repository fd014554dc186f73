package io.guilomo.inference;

import io.guilomo.data.TokenBatch;
import io.guilomo.model.UserException;
import io.guilomo.network.LoraMoeNetwork;
import io.guilomo.uncertainty.HeadCurvature;
import io.guilomo.uncertainty.Probabilities;
import java.util.ArrayList;
import java.util.List;

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

  /**
   * What the head makes of a sequence.
   *
   * @param logits {@code [classes]}
   * @param features that the head has read, {@code [hidden]}
   */
  record Output(double[] logits, float[] features) {

    /** Softmax of the logits. */
    double[] probabilities() {
      return Probabilities.softmax(logits);
    }
  }

  /** One output per sequence. */
  List<Output> outputs(TokenBatch batch) {
    float[][] logits = network.logitRows(batch);
    float[][] features = network.featureRows();
    List<Output> outputs = new ArrayList<>();
    for (int i = 0; i < batch.sequences(); i++) {
      double[] own = new double[network.classes()];
      for (int c = 0; c < own.length; c++) {
        own[c] = logits[i][c];
      }
      outputs.add(new Output(own, features[i]));
    }
    return outputs;
  }

  /** A curvature of this head that no records have been added to. */
  public HeadCurvature flat() {
    return new HeadCurvature(
        network.config().hidden(), !network.config().paths().causal(), network.classes());
  }

  /** Adds sequences with their labels. */
  public void add(TokenBatch batch, HeadCurvature curvature) {
    List<Output> outputs = outputs(batch);
    for (int i = 0; i < outputs.size(); i++) {
      Output output = outputs.get(i);
      curvature.add(output.features(), output.probabilities(), batch.labels()[batch.starts()[i]]);
    }
  }
}
