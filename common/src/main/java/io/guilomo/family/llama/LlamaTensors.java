package io.guilomo.family.llama;

import io.guilomo.family.FrozenTensors;
import io.guilomo.family.llama.LlamaConfig.Option;
import java.io.IOException;

/** Reads the tensors of a decoder whose blocks are LLaMA's. */
public final class LlamaTensors {

  private final LlamaConfig config;
  private final DecoderTensors tensors;

  private LlamaTensors(LlamaConfig config, FrozenTensors tensors) {
    this.config = config;
    this.tensors = new DecoderTensors(config, tensors);
  }

  public static void read(LlamaConfig config, FrozenTensors tensors) throws IOException {
    new LlamaTensors(config, tensors).read();
  }

  private void read() throws IOException {
    tensors.embedding();
    for (int layer = 0; layer < config.layers(); layer++) {
      read(layer);
    }
    tensors.lastNorm();
    tensors.head();
  }

  private void read(int layer) throws IOException {
    long hidden = config.hidden();
    tensors.norm(layer, "attentionNorm", "input_layernorm", hidden);
    tensors.queryKeyValue(layer, has(Option.QKV_BIAS));
    if (has(Option.HEAD_NORMS)) {
      tensors.norm(layer, "queryNorm", "self_attn.q_norm", config.headDim());
      tensors.norm(layer, "keyNorm", "self_attn.k_norm", config.headDim());
    }
    tensors.linear(layer, "o", "self_attn.o_proj", hidden, config.queryWidth(), has(Option.O_BIAS));
    tensors.norm(layer, "mlpNorm", "post_attention_layernorm", hidden);
    tensors.gateUp(layer, has(Option.MLP_BIAS));
    tensors.linear(
        layer,
        "down",
        "mlp.down_proj",
        hidden,
        config.sizes().intermediate(),
        has(Option.MLP_BIAS));
  }

  private boolean has(Option option) {
    return config.options().contains(option);
  }
}
