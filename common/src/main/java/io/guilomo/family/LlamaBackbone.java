package io.guilomo.family;

import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A frozen decoder of the LLaMA family.
 *
 * @param wordEmbeddings {@code [vocabulary, hidden]}
 * @param finalNorm weight of the last RMS norm, {@code [hidden]}
 * @param head {@code [vocabulary, hidden]}; the same array as {@code wordEmbeddings} where the
 *     model ties them
 */
public record LlamaBackbone(
    LlamaConfig config,
    String digest,
    INDArray wordEmbeddings,
    List<Layer> layers,
    INDArray finalNorm,
    INDArray head)
    implements Backbone {

  public LlamaBackbone {
    layers = List.copyOf(layers);
  }

  /**
   * One block. Modules that read the same input lie under each other in one array, so that one
   * product computes them.
   *
   * @param attentionNorm {@code [hidden]}
   * @param attentionInput q, k, v: {@code [(heads + 2·keyValueHeads)·headDim, hidden]}
   * @param attentionOutput o: {@code [hidden, heads·headDim]}
   * @param mlpNorm {@code [hidden]}
   * @param mlpInput gate, up: {@code [2·intermediate, hidden]}
   * @param mlpOutput down: {@code [hidden, intermediate]}
   */
  public record Layer(
      INDArray attentionNorm,
      INDArray attentionInput,
      INDArray attentionOutput,
      INDArray mlpNorm,
      INDArray mlpInput,
      INDArray mlpOutput) {}
}
