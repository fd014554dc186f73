package io.guilomo.family.mistral;

import io.guilomo.family.Activations;
import io.guilomo.family.FrozenTensors;
import io.guilomo.family.ModelFamily;
import io.guilomo.family.RopeParser;
import io.guilomo.family.llama.Decoder;
import io.guilomo.family.llama.DecoderParser;
import io.guilomo.family.llama.DecoderSizes;
import io.guilomo.family.llama.LlamaConfig;
import io.guilomo.family.llama.LlamaTensors;
import io.guilomo.io.ConfigJson;
import io.guilomo.model.ModulePaths;
import io.guilomo.network.BackboneConfig;
import io.guilomo.network.Rope;
import java.io.IOException;
import java.util.Collections;
import java.util.Set;

/** Mistral (arXiv 2310.06825): a LLaMA with a sliding window. */
public final class MistralFamily implements ModelFamily {

  /** What absent keys mean to Hugging Face's {@code MistralConfig}. */
  private static final DecoderParser.Defaults DEFAULTS =
      new DecoderParser.Defaults(8, 0, 4096 * 32, 1e-6);

  private static final int WINDOW = 4096;
  private static final double THETA = 10_000;

  @Override
  public String name() {
    return "mistral";
  }

  @Override
  public String covers() {
    return "decoders: Mistral";
  }

  @Override
  public Set<String> architectures() {
    return Set.of(
        "MistralForCausalLM",
        "MistralForSequenceClassification",
        "MistralForTokenClassification",
        "MistralModel");
  }

  @Override
  public BackboneConfig parse(ConfigJson json) {
    DecoderSizes sizes = new DecoderParser(json, DEFAULTS).sizes();
    Rope rope = new RopeParser(json, sizes.maxPositions(), sizes.headDim()).global(THETA);
    return new LlamaConfig(
        name(),
        sizes.withPositions(RopeParser.longest(rope, sizes.maxPositions())),
        Activations.parse(json, "hidden_act", "silu"),
        rope,
        Collections.nCopies(sizes.layers(), window(json)),
        Set.of());
  }

  private static int window(ConfigJson json) {
    return json.root().path("sliding_window").isNull()
        ? 0
        : json.positive("sliding_window", WINDOW);
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
