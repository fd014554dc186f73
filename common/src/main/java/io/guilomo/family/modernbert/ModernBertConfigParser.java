package io.guilomo.family.modernbert;

import io.guilomo.config.ModelConfig.Pooling;
import io.guilomo.family.Activations;
import io.guilomo.family.LayerCount;
import io.guilomo.family.LayerTypes;
import io.guilomo.family.RopeParser;
import io.guilomo.family.SequenceHead;
import io.guilomo.io.ConfigJson;
import io.guilomo.network.PretrainedHead;
import io.guilomo.network.Rope;
import java.util.List;

/**
 * Reads the {@code config.json} of ModernBERT models, as transformers 4 and 5 write it. Absent keys
 * mean what they mean to Hugging Face's ModernBertConfig.
 */
final class ModernBertConfigParser {

  private static final double GLOBAL_THETA = 160_000;
  private static final double LOCAL_THETA = 10_000;
  private static final String LOCAL_THETA_KEY = "local_rope_theta";

  private final ConfigJson json;

  private ModernBertConfigParser(ConfigJson json) {
    this.json = json;
  }

  static ModernBertConfig parse(ConfigJson json) {
    return new ModernBertConfigParser(json).config();
  }

  private ModernBertConfig config() {
    int hidden = json.positive("hidden_size");
    int heads = heads(hidden);
    int positions = json.positive("max_position_embeddings", 8192);
    RopeParser rope = new RopeParser(json, positions, hidden / heads);
    Rope global = rope.global("global_rope_theta", GLOBAL_THETA);
    float epsilon = (float) json.positiveNumber("norm_eps", 1e-5);
    return new ModernBertConfig(
        hidden,
        json.positive("intermediate_size"),
        heads,
        json.positive("vocab_size"),
        positions,
        epsilon,
        Activations.parse(json, "hidden_activation", "gelu"),
        local(),
        json.positive("local_attention", 128) / 2,
        global,
        rope.scaledLocal(LOCAL_THETA_KEY, localTheta(global)),
        new ModernBertConfig.Biases(
            json.flag("norm_bias", false),
            json.flag("attention_bias", false),
            json.flag("mlp_bias", false),
            json.flag("classifier_bias", false)),
        head(epsilon));
  }

  /**
   * What the base of layers with a window is without a number: that of the others where it is null.
   */
  private double localTheta(Rope global) {
    return json.root().path(LOCAL_THETA_KEY).isNull() ? global.theta() : LOCAL_THETA;
  }

  private int heads(int hidden) {
    int heads = json.positive("num_attention_heads");
    if (hidden % (2 * heads) != 0) {
      throw json.refuse(
          "hidden_size is %s, not an even multiple of num_attention_heads %s"
              .formatted(hidden, heads));
    }
    return heads;
  }

  /** {@code layer_types}; where it is absent, every Nth layer from the first on is global. */
  private List<Boolean> local() {
    int every = json.positive("global_attn_every_n_layers", 3);
    return LayerTypes.local(
        json, LayerCount.parse(json, "num_hidden_layers"), layer -> layer % every != 0);
  }

  private PretrainedHead head(float epsilon) {
    String pooling = json.text("classifier_pooling", "cls");
    if (!pooling.equals("cls") && !pooling.equals("mean")) {
      throw json.refuse("classifier_pooling is %s, supported are cls and mean".formatted(pooling));
    }
    PretrainedHead head =
        SequenceHead.dense(
            json,
            pooling.equals("cls") ? Pooling.CLS : Pooling.MEAN,
            Activations.parse(json, "classifier_activation", "gelu"));
    return head == null ? null : head.normed(epsilon);
  }
}
