package io.guilomo.family.gemma;

import io.guilomo.family.FrozenTensors;
import io.guilomo.family.llama.DecoderTensors;
import io.guilomo.network.CausalHead;
import java.io.IOException;

/** Reads the tensors of a Gemma, whose norms multiply by one more than what is stored. */
final class GemmaTensors {

  private final GemmaConfig config;
  private final FrozenTensors tensors;
  private final DecoderTensors shared;

  private GemmaTensors(GemmaConfig config, FrozenTensors tensors) {
    this.config = config;
    this.tensors = tensors;
    this.shared = new DecoderTensors(config, tensors);
  }

  static void read(GemmaConfig config, FrozenTensors tensors) throws IOException {
    new GemmaTensors(config, tensors).read();
  }

  private void read() throws IOException {
    shared.embedding();
    for (int layer = 0; layer < config.layers(); layer++) {
      read(layer);
    }
    tensors.readPlusOne(CausalHead.NORM + ".weight", "model.norm.weight", config.hidden());
    shared.head();
  }

  private void read(int layer) throws IOException {
    long hidden = config.hidden();
    norm(layer, "attentionNorm", "input_layernorm", hidden);
    shared.queryKeyValue(layer, config.attentionBias());
    if (config.headNorms()) {
      norm(layer, "queryNorm", "self_attn.q_norm", config.headDim());
      norm(layer, "keyNorm", "self_attn.k_norm", config.headDim());
    }
    shared.linear(
        layer, "o", "self_attn.o_proj", hidden, config.queryWidth(), config.attentionBias());
    norm(layer, "attentionOutputNorm", "post_attention_layernorm", hidden);
    norm(layer, "mlpNorm", "pre_feedforward_layernorm", hidden);
    shared.gateUp(layer, false);
    shared.linear(layer, "down", "mlp.down_proj", hidden, config.sizes().intermediate(), false);
    norm(layer, "mlpOutputNorm", "post_feedforward_layernorm", hidden);
  }

  private void norm(int layer, String kind, String name, long features) throws IOException {
    tensors.readPlusOne(
        DecoderTensors.part(layer, kind + ".weight"),
        DecoderTensors.stored(layer, name + ".weight"),
        features);
  }
}
