package io.guilomo.family.bert;

import io.guilomo.io.ConfigJson;

/**
 * Reads the {@code config.json} of BERT models. Absent keys mean what they mean to Hugging Face's
 * BertConfig.
 */
final class BertConfigParser {

  private BertConfigParser() {}

  static BertConfig fromJson(ConfigJson json) {
    json.requireText("hidden_act", "gelu");
    json.requireText("position_embedding_type", "absolute");
    json.requireFalse("is_decoder");
    json.requireAbsent("quantization_config");
    int hidden = json.positive("hidden_size");
    int heads = json.positive("num_attention_heads");
    if (hidden % heads != 0) {
      throw json.refuse(
          "hidden_size is %s, not a multiple of num_attention_heads %s".formatted(hidden, heads));
    }
    return new BertConfig(
        hidden,
        json.positive("intermediate_size"),
        json.positive("num_hidden_layers"),
        heads,
        json.positive("vocab_size"),
        json.positive("max_position_embeddings", 512),
        json.positive("type_vocab_size", 2),
        (float) json.positiveNumber("layer_norm_eps", 1e-12));
  }
}
