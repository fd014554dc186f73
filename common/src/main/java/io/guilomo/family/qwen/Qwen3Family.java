package io.guilomo.family.qwen;

import io.guilomo.family.FrozenTensors;
import io.guilomo.family.ModelFamily;
import io.guilomo.family.llama.Decoder;
import io.guilomo.family.llama.DecoderParser;
import io.guilomo.family.llama.LlamaConfig;
import io.guilomo.family.llama.LlamaConfig.Option;
import io.guilomo.family.llama.LlamaTensors;
import io.guilomo.io.ConfigJson;
import io.guilomo.model.ModulePaths;
import io.guilomo.network.BackboneConfig;
import java.io.IOException;
import java.util.EnumSet;
import java.util.Set;

/** Qwen 3 (arXiv 2505.09388): a LLaMA that norms the queries and keys of each head. */
public final class Qwen3Family implements ModelFamily {

  /** What absent keys mean to Hugging Face's {@code Qwen3Config}. */
  private static final DecoderParser.Defaults DEFAULTS =
      new DecoderParser.Defaults(
          QwenParser.KEY_VALUE_HEADS, 128, QwenParser.POSITIONS, QwenParser.EPSILON);

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
    return Set.of(
        "Qwen3ForCausalLM",
        "Qwen3ForSequenceClassification",
        "Qwen3ForTokenClassification",
        "Qwen3Model");
  }

  @Override
  public BackboneConfig parse(ConfigJson json) {
    Set<Option> options = EnumSet.of(Option.HEAD_NORMS);
    if (json.flag("attention_bias", false)) {
      options.add(Option.QKV_BIAS);
      options.add(Option.O_BIAS);
    }
    return QwenParser.parse(name(), json, DEFAULTS, options);
  }

  @Override
  public ModulePaths paths() {
    return Decoder.PATHS;
  }

  @Override
  public void read(BackboneConfig config, FrozenTensors tensors) throws IOException {
    LlamaTensors.read((LlamaConfig) config, tensors);
  }
}
