package io.guilomo.family.qwen;

import io.guilomo.family.Architectures;
import io.guilomo.family.llama.DecoderParser;
import io.guilomo.family.llama.LlamaConfig.Option;
import io.guilomo.family.llama.LlamaShaped;
import io.guilomo.io.ConfigJson;
import io.guilomo.network.BackboneConfig;
import java.util.Set;

/** Qwen 3 (arXiv 2505.09388): a LLaMA that norms the queries and keys of each head. */
public final class Qwen3Family implements LlamaShaped {

  /** What absent keys mean to Hugging Face's {@code Qwen3Config}. */
  private static final DecoderParser.Defaults DEFAULTS =
      new DecoderParser.Defaults(
          QwenWindows.KEY_VALUE_HEADS, 128, QwenWindows.POSITIONS, QwenWindows.EPSILON);

  @Override
  public String name() {
    return "qwen3";
  }

  @Override
  public String covers() {
    return "decoders: Qwen 3 without mixtures of experts";
  }

  @Override
  public Set<String> architectures() {
    return Architectures.DECODERS.of("Qwen3");
  }

  @Override
  public BackboneConfig parse(ConfigJson json) {
    Set<Option> options = LlamaShaped.attentionBiases(json);
    options.add(Option.HEAD_NORMS);
    return parse(json, DEFAULTS, QwenWindows.of(json), options);
  }
}
