package io.guilomo.family;

import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A frozen encoder of the BERT family.
 *
 * @param wordEmbeddings {@code [vocabulary, hidden]}
 * @param positionEmbeddings {@code [maxPositions, hidden]}
 * @param segmentEmbeddings {@code [segments, hidden]}
 * @param embeddingNorm norm over the sum of the three
 */
public record BertBackbone(
    BertConfig config,
    String digest,
    INDArray wordEmbeddings,
    INDArray positionEmbeddings,
    INDArray segmentEmbeddings,
    Norm embeddingNorm,
    List<Layer> layers)
    implements Backbone {

  public BertBackbone {
    layers = List.copyOf(layers);
  }

  /** Layer norm; both {@code [hidden]}. */
  public record Norm(INDArray weight, INDArray bias) {}

  /**
   * One block. Modules that read the same input lie under each other in one array, so that one
   * product computes them.
   *
   * @param attentionInput query, key, value: {@code [3·hidden, hidden]}
   * @param attentionOutput {@code [hidden, hidden]}
   * @param attentionNorm after the residual sum
   * @param mlpInput {@code [intermediate, hidden]}
   * @param mlpOutput {@code [hidden, intermediate]}
   * @param outputNorm after the residual sum
   */
  public record Layer(
      INDArray attentionInput,
      INDArray attentionInputBias,
      INDArray attentionOutput,
      INDArray attentionOutputBias,
      Norm attentionNorm,
      INDArray mlpInput,
      INDArray mlpInputBias,
      INDArray mlpOutput,
      INDArray mlpOutputBias,
      Norm outputNorm) {}
}
