package io.guilomo.network;

import io.guilomo.io.FloatMemory;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The linear classifier of a checkpoint, where a network's own can start.
 *
 * @param weight {@code [classes, hidden]}, row by row
 * @param bias {@code [classes]}; zeros where the checkpoint has none
 */
public record PretrainedClassifier(float[] weight, float[] bias) {

  /** Writes it over a network's classifier. */
  void copyTo(NamedParameters parameters) {
    put(weight, parameters.view(ClassificationHead.WEIGHT));
    if (parameters.names().contains(ClassificationHead.BIAS)) {
      put(bias, parameters.view(ClassificationHead.BIAS));
    }
  }

  private static void put(float[] values, INDArray target) {
    if (values.length != target.length()) {
      throw new IllegalArgumentException(
          "Cannot start %d parameters from %d values".formatted(target.length(), values.length));
    }
    FloatMemory.of(target).put(0, values, values.length);
  }

  /**
   * The same classes in another order.
   *
   * @param order the class that each one becomes
   */
  public PretrainedClassifier ordered(List<Integer> order) {
    int hidden = weight.length / bias.length;
    float[] rows = new float[weight.length];
    float[] entries = new float[bias.length];
    for (int i = 0; i < entries.length; i++) {
      System.arraycopy(weight, order.get(i) * hidden, rows, i * hidden, hidden);
      entries[i] = bias[order.get(i)];
    }
    return new PretrainedClassifier(rows, entries);
  }

  /** Large: not all values. */
  @Override
  public String toString() {
    return "classifier of " + bias.length + " classes";
  }
}
