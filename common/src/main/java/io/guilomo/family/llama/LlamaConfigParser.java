package io.guilomo.family.llama;

import io.guilomo.io.ConfigJson;
import io.guilomo.network.Rope;

/** Reads the {@code config.json} of LLaMA and of families that are LLaMAs by other defaults. */
public final class LlamaConfigParser {

  /**
   * What absent keys mean.
   *
   * @param positions for {@code max_position_embeddings}
   * @param keyValueHeads for {@code num_key_value_heads}; 0 for as many as there are heads
   * @param slidingWindow for {@code sliding_window}; 0 where the family has none, whatever the key
   *     says
   */
  public record Defaults(int positions, int keyValueHeads, int slidingWindow) {}

  private final ConfigJson json;
  private final Defaults defaults;

  private LlamaConfigParser(ConfigJson json, Defaults defaults) {
    this.json = json;
    this.defaults = defaults;
  }

  /**
   * @throws io.guilomo.model.UserException if the model cannot be run
   */
  public static LlamaConfig parse(ConfigJson json, Defaults defaults) {
    return new LlamaConfigParser(json, defaults).config();
  }

  private LlamaConfig config() {
    json.requireText("hidden_act", "silu");
    json.requireFalse("attention_bias");
    json.requireFalse("mlp_bias");
    json.requireAbsent("quantization_config");
    int hidden = json.positive("hidden_size");
    int heads = json.positive("num_attention_heads");
    int keyValueHeads = keyValueHeads(heads);
    return new LlamaConfig(
        hidden,
        json.positive("intermediate_size"),
        json.positive("num_hidden_layers"),
        heads,
        keyValueHeads,
        headDim(hidden, heads),
        json.positive("vocab_size"),
        json.positive("max_position_embeddings", defaults.positions()),
        (float) json.positiveNumber("rms_norm_eps", 1e-6),
        rope(),
        slidingWindow(),
        json.flag("tie_word_embeddings", false));
  }

  private int keyValueHeads(int heads) {
    boolean named = json.root().has("num_key_value_heads");
    int otherwise = named || defaults.keyValueHeads() == 0 ? heads : defaults.keyValueHeads();
    int keyValueHeads = json.positive("num_key_value_heads", otherwise);
    if (heads % keyValueHeads != 0) {
      throw json.refuse(
          "num_attention_heads is %s, not a multiple of num_key_value_heads %s"
              .formatted(heads, keyValueHeads));
    }
    return keyValueHeads;
  }

  private int headDim(int hidden, int heads) {
    if (!json.has("head_dim") && hidden % heads != 0) {
      throw json.refuse(
          "hidden_size is %s, not a multiple of num_attention_heads %s".formatted(hidden, heads));
    }
    int headDim = json.positive("head_dim", hidden / heads);
    if (headDim % 2 != 0) {
      throw json.refuse("head_dim is %s, rotary positions need an even number".formatted(headDim));
    }
    if ((long) heads * headDim > Integer.MAX_VALUE / 3) {
      throw json.refuse(
          "num_attention_heads %s of head_dim %s are too many".formatted(heads, headDim));
    }
    return headDim;
  }

  private int slidingWindow() {
    if (defaults.slidingWindow() == 0 || json.root().path("sliding_window").isNull()) {
      return 0;
    }
    return json.positive("sliding_window", defaults.slidingWindow());
  }

  private Rope rope() {
    // Transformers 5 writes theta and scaling into one object, rope_parameters; earlier versions
    // into two keys.
    String key = json.has("rope_parameters") ? "rope_parameters" : "rope_scaling";
    double theta = json.positiveNumber("rope_theta", 10_000);
    if (!json.has(key)) {
      return new Rope(theta, null);
    }
    ConfigJson given = json.child(key);
    theta = given.positiveNumber("rope_theta", theta);
    String type = given.text("rope_type", given.text("type", "default"));
    return switch (type) {
      case "default" -> new Rope(theta, null);
      case "llama3" -> new Rope(theta, scaling(given));
      default ->
          throw json.refuse(
              "%s has type %s, supported are default and llama3".formatted(key, type));
    };
  }

  private Rope.Scaling scaling(ConfigJson given) {
    double low = given.positiveNumber("low_freq_factor");
    double high = given.positiveNumber("high_freq_factor");
    if (high <= low) {
      throw json.refuse(
          "high_freq_factor is %s, not above low_freq_factor %s".formatted(high, low));
    }
    return new Rope.Scaling(
        given.positiveNumber("factor"),
        low,
        high,
        given.positive("original_max_position_embeddings"));
  }
}
