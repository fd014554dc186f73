package io.guilomo.family.llama;

import io.guilomo.family.Architectures;
import io.guilomo.family.llama.LlamaConfig.Option;
import io.guilomo.io.ConfigJson;
import io.guilomo.network.BackboneConfig;
import java.util.Collections;
import java.util.Set;

/** LLaMA (arXiv 2302.13971), under Hugging Face's names. */
public final class LlamaFamily implements LlamaShaped {

  /** What absent keys mean to Hugging Face's {@code LlamaConfig}. */
  private static final DecoderParser.Defaults DEFAULTS =
      new DecoderParser.Defaults(0, 0, 2048, 1e-6);

  @Override
  public String name() {
    return LlamaConfig.FAMILY;
  }

  @Override
  public String covers() {
    return "decoders: LLaMA 2, 3, 3.1 and 3.2, SmolLM2, TinyLlama, Yi";
  }

  @Override
  public Set<String> architectures() {
    return Architectures.DECODERS.of("Llama");
  }

  @Override
  public BackboneConfig parse(ConfigJson json) {
    Set<Option> options = LlamaShaped.attentionBiases(json);
    if (json.flag("mlp_bias", false)) {
      options.add(Option.MLP_BIAS);
    }
    return parse(json, DEFAULTS, layers -> Collections.nCopies(layers, 0), options);
  }
}
