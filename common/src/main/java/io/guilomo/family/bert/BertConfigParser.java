package io.guilomo.family.bert;

import io.guilomo.family.Activations;
import io.guilomo.family.LayerCount;
import io.guilomo.io.ConfigJson;
import io.guilomo.model.ModulePaths;
import io.guilomo.network.PretrainedHead;

/**
 * Reads the {@code config.json} of BERT models and of those that differ from it in their names and
 * positions. Absent keys mean what they mean to Hugging Face's BertConfig and RobertaConfig.
 */
public final class BertConfigParser {

  private BertConfigParser() {}

  /**
   * The shape of a model.
   *
   * @param padding as {@link BertConfig#padding}
   * @param head null if the checkpoint has none
   * @throws io.guilomo.model.UserException if the model cannot be run
   */
  public static BertConfig parse(
      ConfigJson json, ModulePaths paths, int padding, PretrainedHead head) {
    json.requireText("position_embedding_type", "absolute");
    json.requireFalse("is_decoder");
    json.requireFalse("add_cross_attention");
    int positions = json.positive("max_position_embeddings", 512);
    if (positions <= padding + 1) {
      throw json.refuse(
          "max_position_embeddings is %s, of which those up to pad_token_id %s are not used"
              .formatted(positions, padding));
    }
    return new BertConfig(
        paths,
        json.positive("hidden_size"),
        json.positive("intermediate_size"),
        LayerCount.parse(json, "num_hidden_layers"),
        heads(json, "hidden_size", "num_attention_heads"),
        json.positive("vocab_size"),
        positions,
        padding,
        json.positive("type_vocab_size", 2),
        (float) json.positiveNumber("layer_norm_eps", 1e-12),
        Activations.parse(json, "hidden_act", "gelu"),
        head);
  }

  /** The number of attention heads, which must divide the width. */
  public static int heads(ConfigJson json, String width, String key) {
    int hidden = json.positive(width);
    int heads = json.positive(key);
    if (hidden % heads != 0) {
      throw json.refuse("%s is %s, not a multiple of %s %s".formatted(width, hidden, key, heads));
    }
    return heads;
  }
}
