package io.guilomo.family.bert;

import io.guilomo.family.FrozenTensors;
import io.guilomo.family.FrozenTensors.Piece;
import io.guilomo.model.LinearModule;
import io.guilomo.network.Backbone;
import io.guilomo.network.NormedEmbedding;
import io.guilomo.network.PretrainedHead;
import io.guilomo.network.block.TransformerBlock;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * What a family calls the tensors of an encoder of BERT's form, beside its linear modules.
 *
 * @param attentionNorm of a block
 * @param outputNorm of a block
 * @param dense of the sequence-classification head, before its activation
 * @param classifier of that head
 */
public record BertTensors(
    String attentionNorm, String outputNorm, String dense, String classifier) {

  /** Reads all tensors of a model. */
  public void read(BertConfig config, FrozenTensors tensors) throws IOException {
    long hidden = config.hidden();
    String stored = "embeddings.";
    tensors.read(Backbone.WORDS, stored + "word_embeddings.weight", config.vocabulary(), hidden);
    tensors.read(
        BertEmbedding.POSITIONS, stored + "position_embeddings.weight", config.positions(), hidden);
    if (config.segments() > 0) {
      tensors.read(
          BertEmbedding.SEGMENTS,
          stored + "token_type_embeddings.weight",
          config.segments(),
          hidden);
    }
    norm(tensors, NormedEmbedding.NORM, stored + "LayerNorm", hidden);
    Map<Integer, List<LinearModule>> blocks =
        config.linearModules().stream().collect(Collectors.groupingBy(LinearModule::layer));
    for (int layer = 0; layer < config.layers(); layer++) {
      block(config, layer, blocks.get(layer), tensors);
    }
    PretrainedHead head = config.pretrainedHead();
    if (head != null) {
      linear(tensors, PretrainedHead.DENSE, dense, hidden, hidden);
      tensors.readClassifier(
          new Piece(classifier + ".weight", head.classes(), hidden),
          new Piece(classifier + ".bias", head.classes()));
    }
  }

  private void block(
      BertConfig config, int layer, List<LinearModule> modules, FrozenTensors tensors)
      throws IOException {
    String part = TransformerBlock.tensor(layer, "");
    String stored = config.paths().layers() + "." + layer + ".";
    List<LinearModule> qkv = modules.subList(0, 3);
    tensors.read(
        part + "qkv.weight",
        pieces(
            qkv,
            module ->
                new Piece(
                    config.paths().inBase(module) + ".weight",
                    module.outFeatures(),
                    module.inFeatures())));
    tensors.read(
        part + "qkv.bias",
        pieces(
            qkv,
            module -> new Piece(config.paths().inBase(module) + ".bias", module.outFeatures())));
    linear(tensors, part + "attentionOutput", config, modules.get(3));
    norm(tensors, part + "attentionNorm", stored + attentionNorm, config.hidden());
    linear(tensors, part + "intermediate", config, modules.get(4));
    linear(tensors, part + "output", config, modules.get(5));
    norm(tensors, part + "outputNorm", stored + outputNorm, config.hidden());
  }

  private static Piece[] pieces(List<LinearModule> modules, Function<LinearModule, Piece> piece) {
    return modules.stream().map(piece).toArray(Piece[]::new);
  }

  private static void linear(
      FrozenTensors tensors, String part, BertConfig config, LinearModule module)
      throws IOException {
    linear(tensors, part, config.paths().inBase(module), module.outFeatures(), module.inFeatures());
  }

  private static void linear(
      FrozenTensors tensors, String part, String stored, long rows, long columns)
      throws IOException {
    tensors.read(part + ".weight", stored + ".weight", rows, columns);
    tensors.read(part + ".bias", stored + ".bias", rows);
  }

  private static void norm(FrozenTensors tensors, String part, String stored, long hidden)
      throws IOException {
    tensors.read(part + ".weight", stored + ".weight", hidden);
    tensors.read(part + ".bias", stored + ".bias", hidden);
  }
}
