package io.guilomo.family.phi;

import io.guilomo.family.Activations;
import io.guilomo.family.Architectures;
import io.guilomo.family.FrozenTensors;
import io.guilomo.family.ModelFamily;
import io.guilomo.family.RopeParser;
import io.guilomo.family.llama.DecoderParser;
import io.guilomo.family.llama.DecoderSizes;
import io.guilomo.family.llama.DecoderTensors;
import io.guilomo.io.ConfigJson;
import io.guilomo.model.ModulePaths;
import io.guilomo.network.BackboneConfig;
import io.guilomo.network.Rope;
import java.io.IOException;
import java.util.List;
import java.util.Set;

/** Phi-3, 3.5 and 4-mini (arXiv 2404.14219): LLaMAs of fused modules. */
public final class Phi3Family implements ModelFamily {

  /** What absent keys mean to Hugging Face's {@code Phi3Config}. */
  private static final DecoderParser.Defaults DEFAULTS =
      new DecoderParser.Defaults(0, 0, 4096, 1e-5);

  private static final double THETA = 10_000;
  private static final String SCALING = "rope_scaling";

  @Override
  public String name() {
    return PhiConfig.FAMILY;
  }

  @Override
  public String covers() {
    return "decoders: Phi-3, 3.5 and 4-mini, with experts on the fused modules";
  }

  @Override
  public Set<String> architectures() {
    return Architectures.DECODERS.of("Phi3");
  }

  @Override
  public BackboneConfig parse(ConfigJson json) {
    json.requireFalse("attention_bias");
    json.requireFalse("mlp_bias");
    json.requireFalse("lm_head_bias");
    DecoderSizes sizes = new DecoderParser(json, DEFAULTS).sizes();
    RopeParser parser = RopeParser.partial(json, sizes.maxPositions(), sizes.headDim());
    Rope rope = parser.global(THETA);
    if (rope.scaling() != null && !(rope.scaling() instanceof Rope.LongRope)) {
      String key = json.has(SCALING) ? SCALING : "rope_parameters";
      ConfigJson given = json.child(key);
      throw json.refuse(
          "%s has type %s, supported are default and longrope"
              .formatted(key, given.text("rope_type", given.text("type", ""))));
    }
    return new PhiConfig(
        sizes,
        Activations.parse(json, "hidden_act", "silu"),
        rope,
        parser.rotated(),
        json.has("sliding_window") ? json.positive("sliding_window") : 0);
  }

  @Override
  public ModulePaths paths() {
    return PhiConfig.PATHS;
  }

  @Override
  public List<String> modules() {
    return PhiConfig.MODULES;
  }

  @Override
  public void read(BackboneConfig config, FrozenTensors tensors) throws IOException {
    PhiConfig phi = (PhiConfig) config;
    DecoderTensors shared = new DecoderTensors(phi, tensors);
    long hidden = phi.hidden();
    long qkv = phi.queryWidth() + 2L * phi.keyWidth();
    long intermediate = phi.sizes().intermediate();
    shared.embedding();
    for (int layer = 0; layer < phi.layers(); layer++) {
      shared.norm(layer, "attentionNorm", "input_layernorm", hidden);
      shared.linear(layer, "qkv", "self_attn.qkv_proj", qkv, hidden, false);
      shared.linear(layer, "o", "self_attn.o_proj", hidden, phi.queryWidth(), false);
      shared.norm(layer, "mlpNorm", "post_attention_layernorm", hidden);
      shared.linear(layer, "gateUp", "mlp.gate_up_proj", 2 * intermediate, hidden, false);
      shared.linear(layer, "down", "mlp.down_proj", hidden, intermediate, false);
    }
    shared.lastNorm();
    shared.head();
  }
}
