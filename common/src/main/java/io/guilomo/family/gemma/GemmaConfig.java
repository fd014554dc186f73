package io.guilomo.family.gemma;

import io.guilomo.family.llama.Decoder;
import io.guilomo.family.llama.DecoderSizes;
import io.guilomo.kernel.Activation;
import io.guilomo.kernel.AttentionShape;
import io.guilomo.model.ModulePaths;
import io.guilomo.network.CausalHead;
import io.guilomo.network.Embedding;
import io.guilomo.network.Head;
import io.guilomo.network.Part;
import io.guilomo.network.Rope;
import io.guilomo.network.block.Residual;
import io.guilomo.network.block.Residual.Place;
import io.guilomo.network.block.TransformerBlock;
import java.util.List;

/**
 * Shape of a decoder of Gemma 2 (arXiv 2408.00118) or 3 (arXiv 2503.19786): embeddings times the
 * root of their width, norms before and after each branch, and some layers with a window.
 *
 * @param family that reads it
 * @param activation of the gate
 * @param windows of the layers: tokens that a position looks back at, itself included; 0 for all
 * @param globalRope of layers without a window
 * @param localRope of layers with one
 * @param queryScalar the scores are divided by its root
 * @param scoreCap bound on the scores; 0 for none
 * @param logitCap bound on the logits; 0 for none
 * @param attentionBias whether q, k, v and o have biases
 * @param headNorms whether the queries and keys of each head are normed
 * @param paths of its modules, alone or in a model that reads images
 */
public record GemmaConfig(
    String family,
    DecoderSizes sizes,
    Activation activation,
    List<Integer> windows,
    Rope globalRope,
    Rope localRope,
    double queryScalar,
    float scoreCap,
    float logitCap,
    boolean attentionBias,
    boolean headNorms,
    ModulePaths paths)
    implements Decoder {

  public GemmaConfig {
    windows = List.copyOf(windows);
  }

  @Override
  public Rope rope(int layer) {
    return window(layer) > 0 ? localRope : globalRope;
  }

  @Override
  public int window(int layer) {
    return windows.get(layer);
  }

  @Override
  public long extraParameters() {
    long normsAfter = 2L * hidden();
    long biases = attentionBias ? queryWidth() + 2L * keyWidth() + hidden() : 0;
    long perHead = headNorms ? 2L * headDim() : 0;
    return layers() * (normsAfter + biases + perHead);
  }

  @Override
  public AttentionShape attention(int layer) {
    return new AttentionShape(
        heads(),
        keyValueHeads(),
        headDim(),
        (float) (1 / Math.sqrt(queryScalar)),
        true,
        window(layer),
        scoreCap);
  }

  /**
   * Embeddings times {@code √hidden}. Transformers rounds that root to the type of the weights,
   * which matters with bfloat16 alone; here it is a 32-bit float always.
   */
  @Override
  public Part embedding() {
    return new Embedding(this, Math.sqrt(hidden()));
  }

  /** {@code x + rmsNorm(branch(rmsNorm(x)))}. */
  @Override
  public Residual residual(
      TransformerBlock block, Place place, String sum, String kind, Residual.Branch branch) {
    return Residual.sandwich(
        block,
        place,
        sum,
        block.rmsNorm(kind + "Norm", epsilon()),
        branch,
        block.outputNorm(kind + "OutputNorm", epsilon()));
  }

  @Override
  public Head languageModelHead() {
    return new CausalHead(hidden(), vocabulary(), epsilon(), logitCap);
  }
}
