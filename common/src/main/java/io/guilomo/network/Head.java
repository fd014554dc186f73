package io.guilomo.network;

import org.nd4j.linalg.api.ndarray.INDArray;

/** The last part: turns states into a loss. Its {@link Part#forward} returns its logits. */
interface Head extends Part {

  /**
   * Mean cross-entropy of the last {@link #forward} or {@link #backward}, over {@link #labels()}.
   */
  double loss();

  /** Positions with a label in the batch. */
  int labels();

  /** Labels whose class had the largest logit. */
  int correct();

  /** The loss alone, for passes that differentiate nothing. */
  void measure(INDArray states);
}
