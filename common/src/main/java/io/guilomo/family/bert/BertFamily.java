package io.guilomo.family.bert;

import io.guilomo.family.FrozenTensors;
import io.guilomo.family.FrozenTensors.Piece;
import io.guilomo.family.ModelFamily;
import io.guilomo.io.ConfigJson;
import io.guilomo.io.OnnxModel;
import io.guilomo.network.Backbone;
import io.guilomo.network.BackboneConfig;
import io.guilomo.network.block.TransformerBlock;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;

/**
 * BERT (arXiv 1810.04805), under Hugging Face's names: with or without the prefix {@code bert.},
 * and with {@code gamma}, {@code beta} for the norms, as the first checkpoints call them.
 */
public final class BertFamily implements ModelFamily {

  private static final String PREFIX = "bert.";

  @Override
  public String name() {
    return BertConfig.FAMILY;
  }

  @Override
  public Set<String> architectures() {
    return Set.of(
        "BertModel",
        "BertForMaskedLM",
        "BertForMultipleChoice",
        "BertForNextSentencePrediction",
        "BertForPreTraining",
        "BertForQuestionAnswering",
        "BertForSequenceClassification",
        "BertForTokenClassification");
  }

  @Override
  public BackboneConfig parse(ConfigJson json) {
    return BertConfigParser.fromJson(json);
  }

  @Override
  public Optional<BackboneConfig> parse(OnnxModel onnx) {
    return onnx.names().stream().anyMatch(name -> name.endsWith(BertOnnx.WORDS))
        ? Optional.of(new BertOnnx(onnx).config())
        : Optional.empty();
  }

  @Override
  public List<String> modules() {
    return BertConfig.MODULES;
  }

  @Override
  public UnaryOperator<String> storedNames(Set<String> stored) {
    String prefix = stored.stream().anyMatch(name -> name.startsWith(PREFIX)) ? PREFIX : "";
    return name -> {
      String old =
          name.replace("LayerNorm.weight", "LayerNorm.gamma")
              .replace("LayerNorm.bias", "LayerNorm.beta");
      return prefix + (stored.contains(prefix + old) ? old : name);
    };
  }

  @Override
  public void read(BackboneConfig config, FrozenTensors tensors) throws IOException {
    BertConfig bert = (BertConfig) config;
    long hidden = bert.hidden();
    String stored = "embeddings.";
    tensors.read(Backbone.WORDS, stored + "word_embeddings.weight", bert.vocabulary(), hidden);
    tensors.read(
        BertEmbedding.POSITIONS,
        stored + "position_embeddings.weight",
        bert.maxPositions(),
        hidden);
    tensors.read(
        BertEmbedding.SEGMENTS, stored + "token_type_embeddings.weight", bert.segments(), hidden);
    norm(tensors, BertEmbedding.NORM, "embeddings", hidden);
    for (int layer = 0; layer < bert.layers(); layer++) {
      read(bert, layer, tensors);
    }
  }

  private static void read(BertConfig config, int layer, FrozenTensors tensors) throws IOException {
    long hidden = config.hidden();
    long intermediate = config.intermediate();
    String part = TransformerBlock.tensor(layer, "");
    String stored = "encoder.layer." + layer + ".";
    String self = stored + "attention.self.";
    tensors.read(
        part + "qkv.weight",
        new Piece(self + "query.weight", hidden, hidden),
        new Piece(self + "key.weight", hidden, hidden),
        new Piece(self + "value.weight", hidden, hidden));
    tensors.read(
        part + "qkv.bias",
        new Piece(self + "query.bias", hidden),
        new Piece(self + "key.bias", hidden),
        new Piece(self + "value.bias", hidden));
    linear(tensors, part + "attentionOutput", stored + "attention.output.dense", hidden, hidden);
    norm(tensors, part + "attentionNorm", stored + "attention.output", hidden);
    linear(tensors, part + "intermediate", stored + "intermediate.dense", intermediate, hidden);
    linear(tensors, part + "output", stored + "output.dense", hidden, intermediate);
    norm(tensors, part + "outputNorm", stored + "output", hidden);
  }

  private static void linear(
      FrozenTensors tensors, String part, String stored, long rows, long columns)
      throws IOException {
    tensors.read(part + ".weight", stored + ".weight", rows, columns);
    tensors.read(part + ".bias", stored + ".bias", rows);
  }

  private static void norm(FrozenTensors tensors, String part, String stored, long hidden)
      throws IOException {
    tensors.read(part + ".weight", stored + ".LayerNorm.weight", hidden);
    tensors.read(part + ".bias", stored + ".LayerNorm.bias", hidden);
  }
}
