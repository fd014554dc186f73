package io.guilomo.network;

import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A slice of the network: the selection of the GSVs, the thresholds of the routers, the embedding,
 * a block or the head.
 */
public interface Part {

  /** The part's trainable parameters. */
  ParameterLayout parameters();

  /** All arrays that the part asks its context for in training passes. */
  List<WorkingArray> arrays();

  /**
   * Called once before the first pass.
   *
   * @param parameters this part's slice of the flat vector; null if it has none
   */
  void attach(PassContext context, INDArray parameters);

  /** Called when the part's slice of the gradient is known, or again when it has moved. */
  void attachGradient(INDArray gradient);

  /**
   * @param input what the part before returned
   * @return {@code [T, hidden]}; an array of the part's own that the next pass overwrites
   */
  INDArray forward(INDArray input);

  /**
   * Computes again what {@link #backward} reads and other parts have overwritten since, where the
   * network recomputes blocks.
   *
   * @param input that of {@link #forward}
   */
  default void recompute(INDArray input) {}

  /**
   * Writes the gradients of the parameters that the pass asks for.
   *
   * @param gradient by the output; the part may overwrite it
   * @return by the input, or null where nothing before has parameters
   */
  INDArray backward(INDArray gradient);
}
