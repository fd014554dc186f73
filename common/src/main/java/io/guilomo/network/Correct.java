package io.guilomo.network;

import org.nd4j.linalg.api.ndarray.INDArray;

/** Counts right answers. */
final class Correct {

  private Correct() {}

  /** Rows of {@code logits [n, classes]} whose largest entry is at the row's label. */
  static int count(INDArray logits, int[] labels) {
    long[] predicted = logits.argMax(1).toLongVector();
    int correct = 0;
    for (int i = 0; i < labels.length; i++) {
      if (predicted[i] == labels[i]) {
        correct++;
      }
    }
    return correct;
  }
}
