package io.guilomo.family.bert;

import io.guilomo.config.ModelConfig.Pooling;
import io.guilomo.kernel.Activation;
import io.guilomo.kernel.AttentionShape;
import io.guilomo.model.LinearModule;
import io.guilomo.model.ModulePaths;
import io.guilomo.model.Task;
import io.guilomo.network.BackboneConfig;
import io.guilomo.network.Part;
import io.guilomo.network.PartSpec;
import io.guilomo.network.PretrainedHead;
import io.guilomo.network.Rotary;
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
 * Shape of an encoder as BERT has it (arXiv 1810.04805): post-norm blocks and absolute positions.
 * RoBERTa and DistilBERT are such encoders by other names and sizes.
 *
 * @param paths names of the family and its modules: query, key, value, attention output,
 *     intermediate and output, in this order
 * @param positions rows of the table of positions
 * @param padding id of the padding token where positions are counted from the row behind it, as
 *     RoBERTa's are; −1 where they are counted from row 0
 * @param segments rows of the table of segments; 0 for no table
 * @param pretrainedHead null if the checkpoint has none
 */
public record BertConfig(
    ModulePaths paths,
    int hidden,
    int intermediate,
    int layers,
    int heads,
    int vocabulary,
    int positions,
    int padding,
    int segments,
    float epsilon,
    Activation activation,
    PretrainedHead pretrainedHead)
    implements BackboneConfig {

  /** Where Hugging Face keeps the modules of BERT. */
  public static final ModulePaths PATHS =
      ModulePaths.encoder(
          "bert",
          "encoder.layer",
          "classifier",
          "query=attention.self.query",
          "key=attention.self.key",
          "value=attention.self.value",
          "attention_output=attention.output.dense",
          "intermediate=intermediate.dense",
          "output=output.dense");

  /** Modules of a block of BERT, in the order of {@link #linearModules()}. */
  public static final List<String> MODULES = List.copyOf(PATHS.modules().keySet());

  /** A base BERT with exact GELU. */
  public BertConfig(
      int hidden,
      int intermediate,
      int layers,
      int heads,
      int vocabulary,
      int positions,
      int segments,
      float epsilon) {
    this(
        PATHS,
        hidden,
        intermediate,
        layers,
        heads,
        vocabulary,
        positions,
        -1,
        segments,
        epsilon,
        Activation.GELU,
        null);
  }

  /** Names of the modules of a block, in the order of {@link #linearModules()}. */
  List<String> modules() {
    return List.copyOf(paths.modules().keySet());
  }

  @Override
  public List<LinearModule> linearModules() {
    List<String> names = modules();
    List<LinearModule> modules = new ArrayList<>();
    for (int layer = 0; layer < layers; layer++) {
      for (String attention : names.subList(0, 4)) {
        modules.add(new LinearModule(layer, attention, hidden, hidden));
      }
      modules.add(new LinearModule(layer, names.get(4), hidden, intermediate));
      modules.add(new LinearModule(layer, names.get(5), intermediate, hidden));
    }
    return modules;
  }

  @Override
  public long parameters() {
    long embeddings = ((long) vocabulary + positions + segments) * hidden;
    long norms = (2L * layers + 1) * 2 * hidden;
    long biases = linearModules().stream().mapToLong(LinearModule::outFeatures).sum();
    long head = pretrainedHead == null ? 0 : pretrainedHead.denseParameters(hidden, true);
    return embeddings + norms + biases + LinearModule.weights(linearModules()) + head;
  }

  @Override
  public int maxPositions() {
    return positions - (padding + 1);
  }

  @Override
  public String family() {
    return paths.base();
  }

  @Override
  public Set<String> attentionInputs() {
    return Set.copyOf(modules().subList(0, 3));
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
    return new AttentionShape(heads, heads, headDim, (float) (1 / Math.sqrt(headDim)), false, 0);
  }

  @Override
  public Rotary.Shape rotary(int layer) {
    return null;
  }

  @Override
  public Part embedding() {
    return new BertEmbedding(this).part();
  }

  /**
   * An encoder's block.
   *
   * <pre>
   *   y1 = layerNorm(x + output(attention(query, key, value)))
   *   y  = layerNorm(y1 + output(activation(intermediate(y1))))
   * </pre>
   */
  @Override
  public Part block(PartSpec spec) {
    TransformerBlock block = new TransformerBlock(spec);
    List<String> names = modules();
    Attention attention =
        new Attention(
            block,
            attention(spec.layer()),
            null,
            block.group("qkv", names.get(0), names.get(1), names.get(2)),
            block.group("attentionOutput", names.get(3)));
    Mlp mlp =
        Mlp.plain(
            block,
            activation,
            block.group("intermediate", names.get(4)),
            block.group("output", names.get(5)));
    return block
        .add(
            Residual.postNorm(
                block,
                Place.INSIDE,
                "attentionSum",
                block.layerNorm("attentionNorm", epsilon),
                attention))
        .add(
            Residual.postNorm(
                block, Place.LAST, "outputSum", block.lastLayerNorm("outputNorm", epsilon), mlp));
  }
}
