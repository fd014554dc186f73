package io.guilomo.network;

import org.nd4j.linalg.api.ndarray.INDArray;

/** The last part: turns states into a loss. Its {@link Part#forward} returns its logits. */
interface Head extends Part {

  /**
   * Cross-entropy of the last {@link #measure} or {@link #backward}: its part of the mean over the
   * labels of the whole batch.
   */
  double loss();

  /** Positions with a label in its part of the batch. */
  int labels();

  /** Labels whose class had the largest logit. */
  int correct();

  /** The loss alone, for passes that differentiate nothing. */
  void measure(INDArray states);
}
