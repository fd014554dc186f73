package io.guilomo.network.moe;

import io.guilomo.network.ArrayDeclarations;
import io.guilomo.network.BatchLoss;
import io.guilomo.network.ParameterLayout;
import io.guilomo.network.PassContext;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Which experts of one module a token uses, and with which weights: from the logits {@code x Gᵀ} to
 * the weights and back, with the router's own loss. How many experts a token uses may depend on the
 * token.
 *
 * <p>A router is built without a network: it declares its working arrays to the {@link
 * ArrayDeclarations} that its constructor gets, its parameters other than {@code G} in {@link
 * #addParameters}, and its statistics as a {@link BatchLoss.Term}. In a pass that records ({@link
 * PassContext#records}) it keeps what it needs to choose the same experts in one that replays
 * ({@link PassContext#replays}); see {@link PassContext#choice}. It runs forward once in a pass,
 * even where blocks are computed again: arrays that its backward pass reads are {@link
 * ArrayDeclarations#kept}. {@link Mixture} knows all routers by name.
 */
interface Router extends BatchLoss.Term {

  /**
   * Appends the parameters that the router has in addition to {@code G}. Adapters store them under
   * the last word of their names, which is the router's to choose.
   *
   * @param prefix of the names of the module's parameters
   */
  default void addParameters(String prefix, ParameterLayout layout) {}

  /** Called once before the first pass; {@code parameters} is what {@code layout} describes. */
  void attach(PassContext context, INDArray parameters, ParameterLayout layout);

  /** Called when the gradient is known, or again when it has moved. */
  default void attachGradient(INDArray gradient, ParameterLayout layout) {}

  /**
   * @param x input of the module, {@code [T, in]}
   * @param logits {@code x Gᵀ [T, experts]}
   * @param mask added to the logits of every token, {@code [experts]}; null for none
   * @param weights result, {@code [T, experts]}: 0 for experts that a token does not use
   */
  void forward(INDArray x, INDArray logits, INDArray mask, INDArray weights);

  /**
   * Backward of {@link #forward}, with the gradient of the router's own loss added. Where the pass
   * wants the gradients of weights, it writes those of the router's parameters.
   *
   * @param dWeights {@code [T, experts]}; the router may overwrite it
   * @param dLogits result, {@code [T, experts]}
   * @param dx what the router's own parameters make of the input's gradient is added to it, {@code
   *     [T, in]}; null if not wanted
   */
  void backward(INDArray x, INDArray dWeights, INDArray weights, INDArray dLogits, INDArray dx);
}
