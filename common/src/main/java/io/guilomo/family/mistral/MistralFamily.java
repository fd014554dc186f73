package io.guilomo.family.mistral;

import io.guilomo.family.FrozenTensors;
import io.guilomo.family.ModelFamily;
import io.guilomo.family.llama.LlamaConfig;
import io.guilomo.family.llama.LlamaConfigParser;
import io.guilomo.family.llama.LlamaFamily;
import io.guilomo.io.ConfigJson;
import io.guilomo.network.BackboneConfig;
import java.io.IOException;
import java.util.List;
import java.util.Set;

/**
 * Mistral (arXiv 2310.06825): a LLaMA with a sliding window, by other defaults. Its models are of
 * family {@code llama}.
 */
public final class MistralFamily implements ModelFamily {

  /** What absent keys mean to Hugging Face's {@code MistralConfig}. */
  private static final LlamaConfigParser.Defaults DEFAULTS =
      new LlamaConfigParser.Defaults(4096 * 32, 8, 4096);

  @Override
  public String name() {
    return "mistral";
  }

  @Override
  public Set<String> architectures() {
    return Set.of("MistralForCausalLM");
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
    new LlamaFamily().read(config, tensors);
  }
}
