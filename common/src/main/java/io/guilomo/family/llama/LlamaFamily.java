package io.guilomo.family.llama;

import io.guilomo.family.Activations;
import io.guilomo.family.FrozenTensors;
import io.guilomo.family.ModelFamily;
import io.guilomo.family.RopeParser;
import io.guilomo.family.llama.LlamaConfig.Option;
import io.guilomo.io.ConfigJson;
import io.guilomo.model.ModulePaths;
import io.guilomo.network.BackboneConfig;
import io.guilomo.network.Rope;
import java.io.IOException;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Set;

/** LLaMA (arXiv 2302.13971), under Hugging Face's names. */
public final class LlamaFamily implements ModelFamily {

  /** What absent keys mean to Hugging Face's {@code LlamaConfig}. */
  private static final DecoderParser.Defaults DEFAULTS =
      new DecoderParser.Defaults(0, 0, 2048, 1e-6);

  private static final double THETA = 10_000;

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
    return Set.of(
        "LlamaForCausalLM",
        "LlamaForSequenceClassification",
        "LlamaForTokenClassification",
        "LlamaModel");
  }

  @Override
  public BackboneConfig parse(ConfigJson json) {
    Set<Option> options = EnumSet.noneOf(Option.class);
    if (json.flag("attention_bias", false)) {
      options.add(Option.QKV_BIAS);
      options.add(Option.O_BIAS);
    }
    if (json.flag("mlp_bias", false)) {
      options.add(Option.MLP_BIAS);
    }
    DecoderSizes sizes = new DecoderParser(json, DEFAULTS).sizes();
    Rope rope = new RopeParser(json, sizes.maxPositions(), sizes.headDim()).global(THETA);
    return new LlamaConfig(
        name(),
        sizes.withPositions(RopeParser.longest(rope, sizes.maxPositions())),
        Activations.parse(json, "hidden_act", "silu"),
        rope,
        Collections.nCopies(sizes.layers(), 0),
        options);
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
