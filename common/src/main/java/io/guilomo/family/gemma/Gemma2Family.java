package io.guilomo.family.gemma;

import io.guilomo.family.Activations;
import io.guilomo.family.Architectures;
import io.guilomo.family.FrozenTensors;
import io.guilomo.family.LayerTypes;
import io.guilomo.family.ModelFamily;
import io.guilomo.family.RopeParser;
import io.guilomo.family.llama.Decoder;
import io.guilomo.family.llama.DecoderParser;
import io.guilomo.family.llama.DecoderSizes;
import io.guilomo.io.ConfigJson;
import io.guilomo.model.ModulePaths;
import io.guilomo.network.BackboneConfig;
import io.guilomo.network.Rope;
import java.io.IOException;
import java.util.Set;

/** Gemma 2 (arXiv 2408.00118): every other layer has a window, scores and logits are capped. */
public final class Gemma2Family implements ModelFamily {

  /** What absent keys mean to Hugging Face's {@code Gemma2Config}. */
  private static final DecoderParser.Defaults DEFAULTS =
      new DecoderParser.Defaults(2304, 9216, 26, 8, 4, 256, 256_000, 8192, 1e-6, true);

  private static final double THETA = 10_000;
  private static final int WINDOW = 4096;
  private static final double QUERY_SCALAR = 256;
  private static final double SCORE_CAP = 50;
  private static final double LOGIT_CAP = 30;

  @Override
  public String name() {
    return "gemma2";
  }

  @Override
  public String covers() {
    return "decoders: Gemma 2";
  }

  @Override
  public Set<String> architectures() {
    return Architectures.DECODERS.of("Gemma2");
  }

  @Override
  public BackboneConfig parse(ConfigJson json) {
    json.requireFalse("use_bidirectional_attention");
    DecoderSizes sizes = new DecoderParser(json, DEFAULTS).sizes();
    Rope rope = new RopeParser(json, sizes.maxPositions(), sizes.headDim()).global(THETA);
    return new GemmaConfig(
        name(),
        sizes.withPositions(RopeParser.longest(rope, sizes.maxPositions())),
        Activations.parse(json, "hidden_activation", "gelu_pytorch_tanh"),
        LayerTypes.windows(
            json, sizes.layers(), json.positive("sliding_window", WINDOW), layer -> layer % 2 == 0),
        rope,
        rope,
        json.positiveNumber("query_pre_attn_scalar", QUERY_SCALAR),
        cap(json, "attn_logit_softcapping", SCORE_CAP),
        cap(json, "final_logit_softcapping", LOGIT_CAP),
        json.flag("attention_bias", false),
        false,
        paths());
  }

  /** A cap; none where the key is null. */
  private static float cap(ConfigJson json, String key, double otherwise) {
    return json.root().path(key).isNull() ? 0 : (float) json.positiveNumber(key, otherwise);
  }

  @Override
  public ModulePaths paths() {
    return Decoder.PATHS;
  }

  @Override
  public void read(BackboneConfig config, FrozenTensors tensors) throws IOException {
    GemmaTensors.read((GemmaConfig) config, tensors);
  }
}
