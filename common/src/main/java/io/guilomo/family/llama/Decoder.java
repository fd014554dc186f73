package io.guilomo.family.llama;

import io.guilomo.config.ModelConfig.Pooling;
import io.guilomo.family.llama.DecoderSizes.VocabularyHead;
import io.guilomo.kernel.Activation;
import io.guilomo.kernel.AttentionShape;
import io.guilomo.model.LinearModule;
import io.guilomo.model.ModulePaths;
import io.guilomo.model.Task;
import io.guilomo.network.ArrayDeclarations;
import io.guilomo.network.BackboneConfig;
import io.guilomo.network.CausalHead;
import io.guilomo.network.Embedding;
import io.guilomo.network.Extent;
import io.guilomo.network.Head;
import io.guilomo.network.Norm;
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
 * Shape of a decoder with rotary positions, root-mean-square norms and gated layers: what LLaMA and
 * those that came after it have in common. A family overrides what it does otherwise.
 */
public interface Decoder extends BackboneConfig {

  /** Where Hugging Face keeps the modules, in the order of {@link #linearModules()}. */
  ModulePaths PATHS =
      ModulePaths.decoder(
          "self_attn.q_proj",
          "self_attn.k_proj",
          "self_attn.v_proj",
          "self_attn.o_proj",
          "mlp.gate_proj",
          "mlp.up_proj",
          "mlp.down_proj");

  /** Modules of a block, in the order of {@link #linearModules()}. */
  List<String> MODULES = List.copyOf(PATHS.modules().keySet());

  DecoderSizes sizes();

  /** How positions turn into angles in a layer. */
  Rope rope(int layer);

  /** Tokens that a position of a layer looks back at, itself included; 0 for all. */
  int window(int layer);

  /** Activation of the gate. */
  Activation activation();

  /** Whether the queries and keys of each head are normed. */
  default boolean headNorms() {
    return false;
  }

  /** The modules of q, k and v, in the order of their rows. */
  default List<String> queryKeyValue() {
    return List.of("q_proj", "k_proj", "v_proj");
  }

  /** The modules of gate and up, in the order of their rows. */
  default List<String> gateUp() {
    return List.of("gate_proj", "up_proj");
  }

  /** Elements of the biases of all layers, and of norms beside those before their branches. */
  long extraParameters();

  @Override
  default int hidden() {
    return sizes().hidden();
  }

  @Override
  default int layers() {
    return sizes().layers();
  }

  @Override
  default int heads() {
    return sizes().heads();
  }

  default int keyValueHeads() {
    return sizes().keyValueHeads();
  }

  default int headDim() {
    return sizes().headDim();
  }

  @Override
  default int vocabulary() {
    return sizes().vocabulary();
  }

  @Override
  default int maxPositions() {
    return sizes().maxPositions();
  }

  default float epsilon() {
    return sizes().epsilon();
  }

  /** Whether the head is the transposed embedding. */
  default boolean tiedHead() {
    return sizes().head() == VocabularyHead.TIED;
  }

  /** Width of the queries of all heads. */
  default int queryWidth() {
    return heads() * headDim();
  }

  /** Width of the keys of all heads, and of their values. */
  default int keyWidth() {
    return keyValueHeads() * headDim();
  }

  @Override
  default ModulePaths paths() {
    return PATHS;
  }

  @Override
  default List<LinearModule> linearModules() {
    List<LinearModule> modules = new ArrayList<>();
    int hidden = hidden();
    int intermediate = sizes().intermediate();
    for (int layer = 0; layer < layers(); layer++) {
      modules.add(new LinearModule(layer, "q_proj", hidden, queryWidth()));
      modules.add(new LinearModule(layer, "k_proj", hidden, keyWidth()));
      modules.add(new LinearModule(layer, "v_proj", hidden, keyWidth()));
      modules.add(new LinearModule(layer, "o_proj", queryWidth(), hidden));
      modules.add(new LinearModule(layer, "gate_proj", hidden, intermediate));
      modules.add(new LinearModule(layer, "up_proj", hidden, intermediate));
      modules.add(new LinearModule(layer, "down_proj", intermediate, hidden));
    }
    return modules;
  }

  @Override
  default Set<String> attentionInputs() {
    return Set.copyOf(queryKeyValue());
  }

  @Override
  default long parameters() {
    long embeddings = (long) vocabulary() * hidden();
    long norms = (2L * layers() + 1) * hidden();
    return (sizes().head() == VocabularyHead.OWN ? 2 : 1) * embeddings
        + norms
        + LinearModule.weights(linearModules())
        + extraParameters();
  }

  @Override
  default Set<Task> tasks() {
    return sizes().head() == VocabularyHead.NONE
        ? EnumSet.of(Task.CLASSIFICATION)
        : EnumSet.allOf(Task.class);
  }

  @Override
  default Set<Pooling> poolings() {
    return EnumSet.of(Pooling.LAST);
  }

  @Override
  default PretrainedHead pretrainedHead() {
    return sizes().pretrainedHead();
  }

  @Override
  default Norm finalNorm(ArrayDeclarations arrays, Extent extent) {
    return Norm.rms(
        CausalHead.NORM,
        epsilon(),
        arrays.scratch("head.normed", extent, hidden()),
        arrays.scratch("head.rms", extent, WorkingArray.VECTOR));
  }

  @Override
  default AttentionShape attention(int layer) {
    float scale = (float) (1 / Math.sqrt(headDim()));
    return new AttentionShape(heads(), keyValueHeads(), headDim(), scale, true, window(layer));
  }

  @Override
  default Rotary.Shape rotary(int layer) {
    return new Rotary.Shape(rope(layer), headDim(), maxPositions());
  }

  @Override
  default Part embedding() {
    return new Embedding(this);
  }

  /**
   * A decoder's block.
   *
   * <pre>
   *   x2 = x + o(attention(rotate(q, k), v)),  [q k v] of rmsNorm(x)
   *   y  = x2 + down(act(gate) ⊙ up),          [gate up] of rmsNorm(x2)
   * </pre>
   */
  @Override
  default Part block(PartSpec spec) {
    TransformerBlock block = new TransformerBlock(spec);
    Attention attention = attentionBranch(block, spec.layer());
    Mlp mlp = mlpBranch(block);
    return block
        .add(residual(block, Place.INSIDE, "middle", "attention", attention))
        .add(residual(block, Place.LAST, "y", "mlp", mlp));
  }

  /**
   * A branch with its norms: {@code x + branch(rmsNorm(x))}.
   *
   * @param sum name of the result among the block's arrays
   * @param kind {@code attention} or {@code mlp}, with which the names of its norms begin
   */
  default Residual residual(
      TransformerBlock block, Place place, String sum, String kind, Residual.Branch branch) {
    return Residual.preNorm(block, place, sum, block.rmsNorm(kind + "Norm", epsilon()), branch);
  }

  /** The attention of a block, over its own modules. */
  default Attention attentionBranch(TransformerBlock block, int layer) {
    return new Attention(
        block,
        attention(layer),
        rotary(layer),
        block.group("qkv", queryKeyValue().toArray(String[]::new)),
        block.group("o", "o_proj"),
        headNorms() ? block.headNorm("queryNorm", headDim(), heads(), epsilon()) : null,
        headNorms() ? block.headNorm("keyNorm", headDim(), keyValueHeads(), epsilon()) : null);
  }

  /** The gated layers of a block, over its own modules; after its attention. */
  default Mlp mlpBranch(TransformerBlock block) {
    return Mlp.gated(
        block,
        activation(),
        block.group("gateUp", gateUp().toArray(String[]::new)),
        block.group("down", "down_proj"));
  }

  @Override
  default Head languageModelHead() {
    return new CausalHead(hidden(), vocabulary(), epsilon());
  }
}
