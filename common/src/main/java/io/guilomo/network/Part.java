package io.guilomo.network;

import org.nd4j.linalg.api.ndarray.INDArray;

/** One part of the network: embedding, block, head, or the selection of the GSVs. */
interface Part {

  ParameterLayout parameters();

  /**
   * Called once before the first pass; {@code parameters} is this part's slice of the flat vector,
   * or null.
   */
  void attach(PassContext context, INDArray parameters);

  /** Called when the gradient's slice is known, or again when it has moved. */
  void attachGradient(INDArray gradient);

  /**
   * @param input what the part before returned
   * @return {@code [T, hidden]}; an array of the part's own that the next pass overwrites
   */
  INDArray forward(INDArray input);

  /**
   * Writes the gradients of the parameters that the pass asks for.
   *
   * @param gradient by the output; the part may overwrite it
   * @return by the input, or null where nothing before has parameters
   */
  INDArray backward(INDArray gradient);
}
