package io.guilomo.family.bert;

import io.guilomo.config.ModelConfig.Pooling;
import io.guilomo.kernel.AttentionShape;
import io.guilomo.model.LinearModule;
import io.guilomo.model.Task;
import io.guilomo.network.BackboneConfig;
import io.guilomo.network.Part;
import io.guilomo.network.PartSpec;
import io.guilomo.network.RotaryTable;
import io.guilomo.network.block.Attention;
import io.guilomo.network.block.Mlp;
import io.guilomo.network.block.Residual;
import io.guilomo.network.block.TransformerBlock;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * Shape of an encoder of the BERT family (arXiv 1810.04805): post-norm blocks, absolute positions,
 * exact GELU.
 */
public record BertConfig(
    int hidden,
    int intermediate,
    int layers,
    int heads,
    int vocabulary,
    int maxPositions,
    int segments,
    float epsilon)
    implements BackboneConfig {

  static final String FAMILY = "bert";

  /** Modules of a block, in the order of {@link #linearModules()}. */
  public static final List<String> MODULES =
      List.of("query", "key", "value", "attention_output", "intermediate", "output");

  @Override
  public List<LinearModule> linearModules() {
    List<LinearModule> modules = new ArrayList<>();
    for (int layer = 0; layer < layers; layer++) {
      modules.add(new LinearModule(layer, "query", hidden, hidden));
      modules.add(new LinearModule(layer, "key", hidden, hidden));
      modules.add(new LinearModule(layer, "value", hidden, hidden));
      modules.add(new LinearModule(layer, "attention_output", hidden, hidden));
      modules.add(new LinearModule(layer, "intermediate", hidden, intermediate));
      modules.add(new LinearModule(layer, "output", intermediate, hidden));
    }
    return modules;
  }

  @Override
  public long parameters() {
    long embeddings = ((long) vocabulary + maxPositions + segments) * hidden;
    long norms = (2L * layers + 1) * 2 * hidden;
    long biases = linearModules().stream().mapToLong(LinearModule::outFeatures).sum();
    return embeddings + norms + biases + LinearModule.weights(linearModules());
  }

  @Override
  public String family() {
    return FAMILY;
  }

  @Override
  public Set<String> attentionInputs() {
    return Set.of("query", "key", "value");
  }

  @Override
  public Set<Task> tasks() {
    return EnumSet.of(Task.CLASSIFICATION);
  }

  @Override
  public Set<Pooling> poolings() {
    return EnumSet.allOf(Pooling.class);
  }

  @Override
  public AttentionShape attention(int layer) {
    int headDim = hidden / heads;
    return new AttentionShape(heads, heads, headDim, (float) (1 / Math.sqrt(headDim)), false, 0);
  }

  @Override
  public RotaryTable.Shape rotary(int layer) {
    return null;
  }

  @Override
  public Part embedding() {
    return new BertEmbedding(this);
  }

  /**
   * An encoder's block.
   *
   * <pre>
   *   y1 = layerNorm(x + output(attention(query, key, value)))
   *   y  = layerNorm(y1 + output(gelu(intermediate(y1))))
   * </pre>
   */
  @Override
  public Part block(PartSpec spec) {
    TransformerBlock block = new TransformerBlock(spec);
    Attention attention =
        new Attention(
            block,
            attention(spec.layer()),
            null,
            block.group("qkv", "query", "key", "value"),
            block.group("attentionOutput", "attention_output"));
    Mlp mlp =
        new Mlp(
            block,
            Mlp.Activation.GELU,
            block.group("intermediate", "intermediate"),
            block.group("output", "output"));
    return block
        .add(
            Residual.postNorm(
                block, "attentionSum", block.layerNorm("attentionNorm", epsilon), attention))
        .add(Residual.postNorm(block, "outputSum", block.layerNorm("outputNorm", epsilon), mlp));
  }
}
