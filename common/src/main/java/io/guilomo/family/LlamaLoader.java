package io.guilomo.family;

import io.guilomo.family.FrozenTensors.Extent;
import io.guilomo.family.FrozenTensors.Part;
import io.guilomo.io.ModelDirectory;
import io.guilomo.io.TensorSource;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Reads the weights of a LLaMA or Mistral model under Hugging Face's names. */
final class LlamaLoader {

  private final LlamaConfig config;
  private final FrozenTensors tensors;

  private LlamaLoader(LlamaConfig config, FrozenTensors tensors) {
    this.config = config;
    this.tensors = tensors;
  }

  static LlamaBackbone load(
      ModelDirectory directory, LlamaConfig config, Extent extent, FrozenMemory memory)
      throws IOException {
    try (TensorSource source = directory.tensors()) {
      return new LlamaLoader(
              config, new FrozenTensors(directory, source, name -> name, extent, memory))
          .backbone();
    }
  }

  private LlamaBackbone backbone() throws IOException {
    INDArray embeddings =
        tensors.read("model.embed_tokens.weight", config.vocabulary(), config.hidden());
    List<LlamaBackbone.Layer> layers = new ArrayList<>();
    for (int layer = 0; layer < config.layers(); layer++) {
      layers.add(layer("model.layers." + layer + "."));
    }
    INDArray norm = tensors.read("model.norm.weight", config.hidden());
    INDArray head =
        config.tiedHead()
            ? embeddings
            : tensors.read("lm_head.weight", config.vocabulary(), config.hidden());
    return new LlamaBackbone(config, tensors.digest(), embeddings, layers, norm, head);
  }

  private LlamaBackbone.Layer layer(String prefix) throws IOException {
    long hidden = config.hidden();
    long query = (long) config.heads() * config.headDim();
    long key = (long) config.keyValueHeads() * config.headDim();
    String attention = prefix + "self_attn.";
    String mlp = prefix + "mlp.";
    return new LlamaBackbone.Layer(
        tensors.read(prefix + "input_layernorm.weight", hidden),
        tensors.fused(
            List.of(
                new Part(attention + "q_proj.weight", query, hidden),
                new Part(attention + "k_proj.weight", key, hidden),
                new Part(attention + "v_proj.weight", key, hidden))),
        tensors.read(attention + "o_proj.weight", hidden, query),
        tensors.read(prefix + "post_attention_layernorm.weight", hidden),
        tensors.fused(
            List.of(
                new Part(mlp + "gate_proj.weight", config.intermediate(), hidden),
                new Part(mlp + "up_proj.weight", config.intermediate(), hidden))),
        tensors.read(mlp + "down_proj.weight", hidden, config.intermediate()));
  }
}
