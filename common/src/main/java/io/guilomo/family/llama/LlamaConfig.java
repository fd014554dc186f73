package io.guilomo.family.llama;

import io.guilomo.config.ModelConfig.Pooling;
import io.guilomo.kernel.AttentionShape;
import io.guilomo.model.LinearModule;
import io.guilomo.model.Task;
import io.guilomo.network.BackboneConfig;
import io.guilomo.network.CausalHead;
import io.guilomo.network.Embedding;
import io.guilomo.network.Head;
import io.guilomo.network.Part;
import io.guilomo.network.PartSpec;
import io.guilomo.network.Rope;
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
 * Shape of a decoder of the LLaMA family.
 *
 * @param headDim features of one attention head
 * @param rope how positions turn into angles
 * @param slidingWindow tokens a position can look back at, itself included; 0 for all
 * @param tiedHead whether the head is the transposed embedding
 */
public record LlamaConfig(
    int hidden,
    int intermediate,
    int layers,
    int heads,
    int keyValueHeads,
    int headDim,
    int vocabulary,
    int maxPositions,
    float epsilon,
    Rope rope,
    int slidingWindow,
    boolean tiedHead)
    implements BackboneConfig {

  static final String FAMILY = "llama";

  /** Modules of a block, in the order of {@link #linearModules()}. */
  public static final List<String> MODULES =
      List.of("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj");

  @Override
  public List<LinearModule> linearModules() {
    List<LinearModule> modules = new ArrayList<>();
    int queryWidth = heads * headDim;
    int keyWidth = keyValueHeads * headDim;
    for (int layer = 0; layer < layers; layer++) {
      modules.add(new LinearModule(layer, "q_proj", hidden, queryWidth));
      modules.add(new LinearModule(layer, "k_proj", hidden, keyWidth));
      modules.add(new LinearModule(layer, "v_proj", hidden, keyWidth));
      modules.add(new LinearModule(layer, "o_proj", queryWidth, hidden));
      modules.add(new LinearModule(layer, "gate_proj", hidden, intermediate));
      modules.add(new LinearModule(layer, "up_proj", hidden, intermediate));
      modules.add(new LinearModule(layer, "down_proj", intermediate, hidden));
    }
    return modules;
  }

  @Override
  public long parameters() {
    long embeddings = (long) vocabulary * hidden;
    long norms = (2L * layers + 1) * hidden;
    return (tiedHead ? 1 : 2) * embeddings + norms + LinearModule.weights(linearModules());
  }

  @Override
  public String family() {
    return FAMILY;
  }

  @Override
  public Set<String> attentionInputs() {
    return Set.of("q_proj", "k_proj", "v_proj");
  }

  @Override
  public Set<Task> tasks() {
    return EnumSet.of(Task.CAUSAL_LM, Task.MULTIPLE_CHOICE);
  }

  @Override
  public Set<Pooling> poolings() {
    return Set.of();
  }

  @Override
  public AttentionShape attention(int layer) {
    float scale = (float) (1 / Math.sqrt(headDim));
    return new AttentionShape(heads, keyValueHeads, headDim, scale, true, slidingWindow);
  }

  @Override
  public RotaryTable.Shape rotary(int layer) {
    return new RotaryTable.Shape(rope, headDim, maxPositions);
  }

  @Override
  public Part embedding() {
    return new Embedding(this);
  }

  /**
   * A decoder's block.
   *
   * <pre>
   *   x2 = x + o(attention(rotate(q, k), v)),  [q k v] of rmsNorm(x)
   *   y  = x2 + down(silu(gate) ⊙ up),         [gate up] of rmsNorm(x2)
   * </pre>
   */
  @Override
  public Part block(PartSpec spec) {
    TransformerBlock block = new TransformerBlock(spec);
    Attention attention =
        new Attention(
            block,
            attention(spec.layer()),
            rotary(spec.layer()),
            block.group("qkv", "q_proj", "k_proj", "v_proj"),
            block.group("o", "o_proj"));
    Mlp mlp =
        new Mlp(
            block,
            Mlp.Activation.SWIGLU,
            block.group("gateUp", "gate_proj", "up_proj"),
            block.group("down", "down_proj"));
    return block
        .add(Residual.preNorm(block, "middle", block.rmsNorm("attentionNorm", epsilon), attention))
        .add(Residual.preNorm(block, "y", block.rmsNorm("mlpNorm", epsilon), mlp));
  }

  @Override
  public Head languageModelHead() {
    return new CausalHead(hidden, vocabulary, epsilon);
  }
}
