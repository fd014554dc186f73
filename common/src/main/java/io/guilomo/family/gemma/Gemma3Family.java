package io.guilomo.family.gemma;

import io.guilomo.family.Activations;
import io.guilomo.family.FrozenTensors;
import io.guilomo.family.LayerTypes;
import io.guilomo.family.ModelFamily;
import io.guilomo.family.RopeParser;
import io.guilomo.family.SequenceHead;
import io.guilomo.family.llama.Decoder;
import io.guilomo.family.llama.DecoderParser;
import io.guilomo.family.llama.DecoderSizes;
import io.guilomo.io.ConfigJson;
import io.guilomo.model.ModulePaths;
import io.guilomo.network.BackboneConfig;
import io.guilomo.network.Rope;
import java.io.IOException;
import java.util.Set;

/**
 * The text models of Gemma 3 (arXiv 2503.19786), alone or beside a vision tower: most layers have a
 * window and a rope of their own, queries and keys of each head are normed.
 */
public final class Gemma3Family implements ModelFamily {

  /** What absent keys mean to Hugging Face's {@code Gemma3TextConfig}. */
  private static final DecoderParser.Defaults DEFAULTS =
      new DecoderParser.Defaults(2304, 9216, 26, 8, 4, 256, 262_208, 131_072, 1e-6, true);

  private static final double GLOBAL_THETA = 1_000_000;
  private static final double LOCAL_THETA = 10_000;
  private static final int WINDOW = 4096;
  private static final int PATTERN = 6;
  private static final double QUERY_SCALAR = 256;
  private static final String TEXT = "text_config";

  @Override
  public String name() {
    return "gemma3";
  }

  @Override
  public String covers() {
    return "decoders: Gemma 3, also the text model of a multimodal checkpoint";
  }

  @Override
  public Set<String> architectures() {
    return Set.of(
        "Gemma3ForCausalLM",
        "Gemma3ForConditionalGeneration",
        "Gemma3ForSequenceClassification",
        "Gemma3Model",
        "Gemma3TextForSequenceClassification",
        "Gemma3TextModel");
  }

  @Override
  public Set<String> modelTypes() {
    return Set.of("gemma3", "gemma3_text");
  }

  @Override
  public BackboneConfig parse(ConfigJson json) {
    return json.has(TEXT) ? text(json.child(TEXT), json) : text(json, json);
  }

  /**
   * @param whole that of the model with its vision tower, which ties the head
   */
  private BackboneConfig text(ConfigJson json, ConfigJson whole) {
    json.requireFalse("use_bidirectional_attention");
    DecoderSizes sizes = new DecoderParser(json, DEFAULTS).sizes(whole);
    RopeParser rope = new RopeParser(json, sizes.maxPositions(), sizes.headDim());
    Rope global = rope.global(GLOBAL_THETA);
    int pattern =
        json.positive("sliding_window_pattern", json.positive("_sliding_window_pattern", PATTERN));
    return new GemmaConfig(
        name(),
        sizes.withPositions(positions(global, sizes.maxPositions())),
        Activations.parse(json, "hidden_activation", "gelu_pytorch_tanh"),
        LayerTypes.windows(
            json,
            sizes.layers(),
            json.positive("sliding_window", WINDOW),
            layer -> (layer + 1) % pattern != 0),
        global,
        rope.local("rope_local_base_freq", LOCAL_THETA),
        json.positiveNumber("query_pre_attn_scalar", QUERY_SCALAR),
        // Transformers reads attn_logit_softcapping and leaves it unused.
        0,
        json.has("final_logit_softcapping") && json == whole
            ? (float) json.positiveNumber("final_logit_softcapping")
            : 0,
        json.flag("attention_bias", false),
        true,
        json == whole ? paths() : paths().under("model.language_model"));
  }

  /**
   * What {@code max_position_embeddings} says is reached by linear scaling already. Dynamic scaling
   * has no limit.
   */
  private static int positions(Rope global, int given) {
    return global.scaling() instanceof Rope.Dynamic ? Integer.MAX_VALUE : given;
  }

  /** The text model alone is {@code Gemma3ForCausalLM}, but has a classifier of another name. */
  @Override
  public String classifierArchitecture(ConfigJson json) {
    return SequenceHead.architecture(json.has(TEXT) ? "Gemma3" : "Gemma3Text");
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
