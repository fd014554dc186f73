package io.guilomo.family;

import com.fasterxml.jackson.databind.JsonNode;
import io.guilomo.data.Example;
import io.guilomo.data.TokenBatch;
import io.guilomo.network.BackboneConfig;
import io.guilomo.network.NetworkDefinition;
import io.guilomo.network.StepwisePass;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * Classes of sequences, as the network's own head predicts them that starts from the checkpoint's.
 * Its loss is that of one label among several; those of any number of labels and of a value are
 * computed here.
 */
final class GoldenClassificationHead implements GoldenHead {

  @Override
  public boolean belongsTo(String modelClass) {
    return modelClass.endsWith("ForSequenceClassification");
  }

  /** Networks have two classes at least; the second one of a value is not looked at. */
  @Override
  public NetworkDefinition definition(Path model, BackboneConfig config, JsonNode expected) {
    return GoldenCausalHead.definition(config, Math.max(2, config.pretrainedHead().classes()));
  }

  @Override
  public Example example(int[] tokens, int[] segments, JsonNode labels) {
    int[] own = new int[tokens.length];
    Arrays.fill(own, TokenBatch.IGNORED);
    own[0] = labels.isIntegralNumber() ? labels.intValue() : 0;
    return new Example(tokens, segments, own);
  }

  @Override
  public Outcome run(
      StepwisePass pass, Path model, TokenBatch batch, float[][] states, JsonNode labels) {
    int classes = pass.definition().config().pretrainedHead().classes();
    double[][] logits =
        Arrays.stream(Goldens.doubles(pass.logits(states)))
            .map(row -> Arrays.copyOf(row, classes))
            .toArray(double[][]::new);
    if (labels.isMissingNode()) {
      return new Outcome(logits, 0, null);
    }
    if (labels.isIntegralNumber()) {
      float[][] gradient = pass.headBackward(states);
      return new Outcome(logits, pass.loss(), gradient);
    }
    float[][] gradient = new float[1][pass.definition().classes()];
    double loss =
        labels.isArray()
            ? binaryCrossEntropy(logits[0], Goldens.numbers(labels), gradient[0])
            : squaredError(logits[0][0], labels.doubleValue(), gradient[0]);
    return new Outcome(logits, loss, pass.classifierBackward(states, gradient));
  }

  /** Of a sigmoid for each class, mean over them. */
  private static double binaryCrossEntropy(double[] logits, double[] labels, float[] gradient) {
    double loss = 0;
    for (int c = 0; c < logits.length; c++) {
      double x = logits[c];
      loss += Math.max(x, 0) - x * labels[c] + Math.log1p(Math.exp(-Math.abs(x)));
      gradient[c] = (float) ((1 / (1 + Math.exp(-x)) - labels[c]) / logits.length);
    }
    return loss / logits.length;
  }

  private static double squaredError(double value, double label, float[] gradient) {
    gradient[0] = (float) (2 * (value - label));
    return (value - label) * (value - label);
  }
}
