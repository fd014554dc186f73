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
import java.util.Set;

/** Qwen 2 and 2.5 (arXiv 2407.10671): a LLaMA with biases of q, k and v. */
public final class Qwen2Family implements ModelFamily {

  /** What absent keys mean to Hugging Face's {@code Qwen2Config}. */
  private static final DecoderParser.Defaults DEFAULTS =
      new DecoderParser.Defaults(
          QwenParser.KEY_VALUE_HEADS, 0, QwenParser.POSITIONS, QwenParser.EPSILON);

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
    return Set.of(
        "Qwen2ForCausalLM",
        "Qwen2ForSequenceClassification",
        "Qwen2ForTokenClassification",
        "Qwen2Model");
  }

  @Override
  public BackboneConfig parse(ConfigJson json) {
    return QwenParser.parse(name(), json, DEFAULTS, Set.of(Option.QKV_BIAS));
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
