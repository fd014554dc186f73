package io.guilomo.family.modernbert;

import io.guilomo.family.Architectures;
import io.guilomo.family.FrozenTensors;
import io.guilomo.family.FrozenTensors.Piece;
import io.guilomo.family.ModelFamily;
import io.guilomo.io.ConfigJson;
import io.guilomo.model.ModulePaths;
import io.guilomo.network.Backbone;
import io.guilomo.network.BackboneConfig;
import io.guilomo.network.NormedEmbedding;
import io.guilomo.network.PretrainedHead;
import io.guilomo.network.block.TransformerBlock;
import java.io.IOException;
import java.util.Set;

/** ModernBERT (arXiv 2412.13663), under Hugging Face's names. */
public final class ModernBertFamily implements ModelFamily {

  static final String NAME = "modernbert";

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public String covers() {
    return "encoders: ModernBERT";
  }

  @Override
  public Set<String> architectures() {
    return Architectures.ENCODERS.of("ModernBert");
  }

  @Override
  public BackboneConfig parse(ConfigJson json) {
    return ModernBertConfigParser.parse(json);
  }

  @Override
  public ModulePaths paths() {
    return ModernBertConfig.PATHS;
  }

  @Override
  public void read(BackboneConfig config, FrozenTensors tensors) throws IOException {
    new Reading((ModernBertConfig) config, tensors).read();
  }

  private record Reading(ModernBertConfig config, FrozenTensors tensors) {

    void read() throws IOException {
      long hidden = config.hidden();
      ModernBertConfig.Biases biases = config.biases();
      tensors.read(Backbone.WORDS, "embeddings.tok_embeddings.weight", config.vocabulary(), hidden);
      norm(NormedEmbedding.NORM, "embeddings.norm");
      for (int layer = 0; layer < config.layers(); layer++) {
        block(layer);
      }
      norm(ModernBertConfig.FINAL_NORM, "final_norm");
      PretrainedHead head = config.pretrainedHead();
      if (head != null) {
        linear(PretrainedHead.DENSE, "head.dense", hidden, hidden, biases.head());
        norm(PretrainedHead.NORM, "head.norm");
        tensors.readClassifier(
            new Piece("classifier.weight", head.classes(), hidden),
            new Piece("classifier.bias", head.classes()));
      }
    }

    private void block(int layer) throws IOException {
      long hidden = config.hidden();
      long intermediate = config.intermediate();
      ModernBertConfig.Biases biases = config.biases();
      String part = TransformerBlock.tensor(layer, "");
      String stored = "layers." + layer + ".";
      if (layer > 0) {
        norm(part + "attentionNorm", stored + "attn_norm");
      }
      linear(part + "qkv", stored + "attn.Wqkv", 3 * hidden, hidden, biases.attention());
      linear(part + "attentionOutput", stored + "attn.Wo", hidden, hidden, biases.attention());
      norm(part + "mlpNorm", stored + "mlp_norm");
      linear(part + "gateUp", stored + "mlp.Wi", 2 * intermediate, hidden, biases.mlp());
      linear(part + "output", stored + "mlp.Wo", hidden, intermediate, biases.mlp());
    }

    private void linear(String part, String stored, long rows, long columns, boolean bias)
        throws IOException {
      tensors.read(part + ".weight", stored + ".weight", rows, columns);
      if (bias) {
        tensors.read(part + ".bias", stored + ".bias", rows);
      }
    }

    private void norm(String part, String stored) throws IOException {
      tensors.read(part + ".weight", stored + ".weight", config.hidden());
      if (config.biases().norms()) {
        tensors.read(part + ".bias", stored + ".bias", config.hidden());
      } else {
        tensors.zeros(part + ".bias", config.hidden());
      }
    }
  }
}
