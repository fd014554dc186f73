package io.guilomo.family.modernbert;

import io.guilomo.config.ModelConfig.Pooling;
import io.guilomo.kernel.Activation;
import io.guilomo.kernel.AttentionShape;
import io.guilomo.model.LinearModule;
import io.guilomo.model.ModulePaths;
import io.guilomo.model.Task;
import io.guilomo.network.ArrayDeclarations;
import io.guilomo.network.BackboneConfig;
import io.guilomo.network.Extent;
import io.guilomo.network.Norm;
import io.guilomo.network.NormedEmbedding;
import io.guilomo.network.Part;
import io.guilomo.network.PartSpec;
import io.guilomo.network.PretrainedHead;
import io.guilomo.network.Rope;
import io.guilomo.network.Rotary;
import io.guilomo.network.WorkingArray;
import io.guilomo.network.block.Attention;
import io.guilomo.network.block.Mlp;
import io.guilomo.network.block.Residual;
import io.guilomo.network.block.Residual.Place;
import io.guilomo.network.block.TransformerBlock;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * Shape of a ModernBERT (arXiv 2412.13663): an encoder of pre-norm blocks with rotated queries and
 * keys, gated feed-forward layers, and attention that sees the whole text in some layers and the
 * neighbourhood in the others.
 *
 * @param intermediate width of the gate, and of what it gates
 * @param local for each layer, whether its attention sees the neighbourhood alone
 * @param reach how far that attention sees to either side
 * @param globalRope of layers that see the whole text
 * @param localRope of the other layers
 * @param biases where norms and linear layers have biases
 * @param pretrainedHead null if the checkpoint has none
 */
public record ModernBertConfig(
    int hidden,
    int intermediate,
    int heads,
    int vocabulary,
    int maxPositions,
    float epsilon,
    Activation activation,
    List<Boolean> local,
    int reach,
    Rope globalRope,
    Rope localRope,
    Biases biases,
    PretrainedHead pretrainedHead)
    implements BackboneConfig {

  /** The name of the last norm's frozen tensors, before {@code .weight} and {@code .bias}. */
  static final String FINAL_NORM = "head.norm";

  static final ModulePaths PATHS =
      ModulePaths.encoder(
          "model",
          "layers",
          "classifier",
          "Wqkv=attn.Wqkv",
          "attn.Wo=attn.Wo",
          "Wi=mlp.Wi",
          "mlp.Wo=mlp.Wo");

  static final List<String> MODULES = List.copyOf(PATHS.modules().keySet());

  /** Which layers add a bias. */
  public record Biases(boolean norms, boolean attention, boolean mlp, boolean head)
      implements java.io.Serializable {}

  public ModernBertConfig {
    local = List.copyOf(local);
  }

  @Override
  public ModulePaths paths() {
    return PATHS;
  }

  @Override
  public int layers() {
    return local.size();
  }

  @Override
  public List<LinearModule> linearModules() {
    List<LinearModule> modules = new ArrayList<>();
    for (int layer = 0; layer < layers(); layer++) {
      modules.add(new LinearModule(layer, "Wqkv", hidden, 3 * hidden));
      modules.add(new LinearModule(layer, "attn.Wo", hidden, hidden));
      modules.add(new LinearModule(layer, "Wi", hidden, 2 * intermediate));
      modules.add(new LinearModule(layer, "mlp.Wo", intermediate, hidden));
    }
    return modules;
  }

  @Override
  public long parameters() {
    long perNorm = biases.norms() ? 2L * hidden : hidden;
    // Of the embeddings, before both branches of each block but the first attention, and the last.
    long norms = (2L * layers() + 1) * perNorm;
    long attention = biases.attention() ? 4L * hidden * layers() : 0;
    long mlp = biases.mlp() ? (2L * intermediate + hidden) * layers() : 0;
    long head =
        pretrainedHead == null
            ? 0
            : pretrainedHead.denseParameters(hidden, biases.head()) + perNorm;
    return (long) vocabulary * hidden
        + norms
        + attention
        + mlp
        + LinearModule.weights(linearModules())
        + head;
  }

  @Override
  public String family() {
    return ModernBertFamily.NAME;
  }

  @Override
  public Set<String> attentionInputs() {
    return Set.of("Wqkv");
  }

  @Override
  public Set<Task> tasks() {
    return EnumSet.of(Task.CLASSIFICATION);
  }

  @Override
  public Set<Pooling> poolings() {
    return EnumSet.of(Pooling.MEAN, Pooling.CLS);
  }

  @Override
  public AttentionShape attention(int layer) {
    int headDim = hidden / heads;
    int window = local.get(layer) ? reach + 1 : 0;
    return new AttentionShape(
        heads, heads, headDim, (float) (1 / Math.sqrt(headDim)), false, window);
  }

  @Override
  public Rotary.Shape rotary(int layer) {
    return new Rotary.Shape(
        local.get(layer) ? localRope : globalRope, hidden / heads, maxPositions);
  }

  @Override
  public Part embedding() {
    return new NormedEmbedding(this, epsilon, List.of());
  }

  /**
   * An encoder's block.
   *
   * <pre>
   *   x2 = x + Wo(attention(rotate(q, k), v)),       [q k v] of layerNorm(x); of x in the first block
   *   y  = x2 + Wo(activation(gate) ⊙ up),           [gate up] of layerNorm(x2)
   * </pre>
   */
  @Override
  public Part block(PartSpec spec) {
    TransformerBlock block = new TransformerBlock(spec);
    int layer = spec.layer();
    Attention attention =
        new Attention(
            block,
            attention(layer),
            rotary(layer),
            block.group("qkv", "Wqkv"),
            block.group("attentionOutput", "attn.Wo"));
    Mlp mlp =
        Mlp.gated(block, activation, block.group("gateUp", "Wi"), block.group("output", "mlp.Wo"));
    Norm first = layer == 0 ? Norm.none() : block.layerNorm("attentionNorm", epsilon);
    return block
        .add(Residual.preNorm(block, Place.INSIDE, "middle", first, attention))
        .add(Residual.preNorm(block, Place.LAST, "y", block.layerNorm("mlpNorm", epsilon), mlp));
  }

  @Override
  public Norm finalNorm(ArrayDeclarations arrays, Extent extent) {
    return Norm.layer(
        FINAL_NORM,
        epsilon,
        arrays.scratch("head.normed", extent, hidden),
        arrays.scratch("head.normMean", extent, WorkingArray.VECTOR),
        arrays.scratch("head.normDeviation", extent, WorkingArray.VECTOR));
  }
}
