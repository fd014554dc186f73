package io.guilomo.network;

import org.nd4j.linalg.api.ndarray.INDArray;

/** The last part: turns states into a loss. Its {@link Part#forward} returns its logits. */
public interface Head extends Part {

  /** Measurements of the current pass. */
  Measurements measurements();

  /** Positions with a label in the whole batch, whose mean the loss is. */
  int allLabels();

  /** Positions with a label in its part of the batch. */
  int labels();

  /**
   * Cross-entropy of the last {@link #measure} or {@link #backward}, as it was read: its part of
   * the mean over the labels of the whole batch.
   */
  default double loss() {
    return labels() == 0 ? 0 : measurements().loss() / allLabels();
  }

  /** Measures alone, for passes that differentiate nothing: the loss and the hits. */
  void measure(INDArray states);
}
