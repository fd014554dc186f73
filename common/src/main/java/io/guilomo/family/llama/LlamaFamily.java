package io.guilomo.family.llama;

import io.guilomo.family.FrozenTensors;
import io.guilomo.family.FrozenTensors.Piece;
import io.guilomo.family.ModelFamily;
import io.guilomo.io.ConfigJson;
import io.guilomo.network.Backbone;
import io.guilomo.network.BackboneConfig;
import io.guilomo.network.CausalHead;
import io.guilomo.network.block.TransformerBlock;
import java.io.IOException;
import java.util.List;
import java.util.Set;

/** LLaMA (arXiv 2302.13971), under Hugging Face's names. */
public final class LlamaFamily implements ModelFamily {

  /** What absent keys mean to Hugging Face's {@code LlamaConfig}. */
  private static final LlamaConfigParser.Defaults DEFAULTS =
      new LlamaConfigParser.Defaults(2048, 0, 0);

  @Override
  public String name() {
    return LlamaConfig.FAMILY;
  }

  @Override
  public Set<String> architectures() {
    return Set.of("LlamaForCausalLM");
  }

  @Override
  public BackboneConfig parse(ConfigJson json) {
    return LlamaConfigParser.parse(json, DEFAULTS);
  }

  @Override
  public List<String> modules() {
    return LlamaConfig.MODULES;
  }

  @Override
  public void read(BackboneConfig config, FrozenTensors tensors) throws IOException {
    LlamaConfig llama = (LlamaConfig) config;
    long hidden = llama.hidden();
    long vocabulary = llama.vocabulary();
    tensors.read(Backbone.WORDS, "model.embed_tokens.weight", vocabulary, hidden);
    for (int layer = 0; layer < llama.layers(); layer++) {
      read(llama, layer, tensors);
    }
    tensors.read(CausalHead.NORM + ".weight", "model.norm.weight", hidden);
    if (llama.tiedHead()) {
      tensors.alias(CausalHead.WEIGHT, Backbone.WORDS);
    } else {
      tensors.read(CausalHead.WEIGHT, "lm_head.weight", vocabulary, hidden);
    }
  }

  private static void read(LlamaConfig config, int layer, FrozenTensors tensors)
      throws IOException {
    long hidden = config.hidden();
    long query = (long) config.heads() * config.headDim();
    long key = (long) config.keyValueHeads() * config.headDim();
    long intermediate = config.intermediate();
    String part = TransformerBlock.tensor(layer, "");
    String stored = "model.layers." + layer + ".";
    String attention = stored + "self_attn.";
    String mlp = stored + "mlp.";
    tensors.read(part + "attentionNorm.weight", stored + "input_layernorm.weight", hidden);
    tensors.read(
        part + "qkv.weight",
        new Piece(attention + "q_proj.weight", query, hidden),
        new Piece(attention + "k_proj.weight", key, hidden),
        new Piece(attention + "v_proj.weight", key, hidden));
    tensors.read(part + "o.weight", attention + "o_proj.weight", hidden, query);
    tensors.read(part + "mlpNorm.weight", stored + "post_attention_layernorm.weight", hidden);
    tensors.read(
        part + "gateUp.weight",
        new Piece(mlp + "gate_proj.weight", intermediate, hidden),
        new Piece(mlp + "up_proj.weight", intermediate, hidden));
    tensors.read(part + "down.weight", mlp + "down_proj.weight", hidden, intermediate);
  }
}
