package io.guilomo.family.qwen;

import io.guilomo.family.Architectures;
import io.guilomo.family.llama.DecoderParser;
import io.guilomo.family.llama.LlamaConfig.Option;
import io.guilomo.family.llama.LlamaShaped;
import io.guilomo.io.ConfigJson;
import io.guilomo.network.BackboneConfig;
import java.util.Set;

/** Qwen 2 and 2.5 (arXiv 2407.10671): a LLaMA with biases of q, k and v. */
public final class Qwen2Family implements LlamaShaped {

  /** What absent keys mean to Hugging Face's {@code Qwen2Config}. */
  private static final DecoderParser.Defaults DEFAULTS =
      new DecoderParser.Defaults(
          QwenWindows.KEY_VALUE_HEADS, 0, QwenWindows.POSITIONS, QwenWindows.EPSILON);

  @Override
  public String name() {
    return "qwen2";
  }

  @Override
  public String covers() {
    return "decoders: Qwen 2 and 2.5";
  }

  @Override
  public Set<String> architectures() {
    return Architectures.DECODERS.of("Qwen2");
  }

  @Override
  public BackboneConfig parse(ConfigJson json) {
    return parse(json, DEFAULTS, QwenWindows.of(json), Set.of(Option.QKV_BIAS));
  }
}
