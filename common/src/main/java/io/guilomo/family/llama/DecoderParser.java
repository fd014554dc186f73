package io.guilomo.family.llama;

import io.guilomo.family.LayerCount;
import io.guilomo.family.SequenceHead;
import io.guilomo.family.llama.DecoderSizes.VocabularyHead;
import io.guilomo.io.ConfigJson;

/** Reads what the {@code config.json} of all decoders have in common. */
public final class DecoderParser {

  private static final String LAYERS = "num_hidden_layers";

  /**
   * What absent keys mean; 0 where a key must be there.
   *
   * @param keyValueHeads for {@code num_key_value_heads}; 0 for as many as there are heads
   * @param headDim for {@code head_dim}; 0 for the hidden size divided among the heads
   * @param tiedHead for {@code tie_word_embeddings}
   */
  public record Defaults(
      int hidden,
      int intermediate,
      int layers,
      int heads,
      int keyValueHeads,
      int headDim,
      int vocabulary,
      int positions,
      double epsilon,
      boolean tiedHead) {

    /** Defaults of a family whose configurations always give the sizes of the layers. */
    public Defaults(int keyValueHeads, int headDim, int positions, double epsilon) {
      this(0, 0, 0, 0, keyValueHeads, headDim, 0, positions, epsilon, false);
    }
  }

  private final ConfigJson json;
  private final Defaults defaults;

  public DecoderParser(ConfigJson json, Defaults defaults) {
    this.json = json;
    this.defaults = defaults;
  }

  /**
   * @throws io.guilomo.model.UserException if a size is missing or wrong, or positions attend to
   *     those after them
   */
  public DecoderSizes sizes() {
    return sizes(json);
  }

  /**
   * As {@link #sizes()}, of a model that is a part of another.
   *
   * @param whole the configuration of the other, which says whether the head is tied
   */
  public DecoderSizes sizes(ConfigJson whole) {
    json.requireTrue("is_causal");
    int hidden = size("hidden_size", defaults.hidden());
    int heads = size("num_attention_heads", defaults.heads());
    return new DecoderSizes(
        hidden,
        size("intermediate_size", defaults.intermediate()),
        layers(),
        heads,
        keyValueHeads(heads),
        headDim(hidden, heads),
        size("vocab_size", defaults.vocabulary()),
        size("max_position_embeddings", defaults.positions()),
        (float) json.positiveNumber("rms_norm_eps", defaults.epsilon()),
        head(whole),
        SequenceHead.last(whole));
  }

  private int size(String key, int otherwise) {
    return otherwise == 0 ? json.positive(key) : json.positive(key, otherwise);
  }

  private int layers() {
    return defaults.layers() == 0 || json.has(LAYERS)
        ? LayerCount.parse(json, LAYERS)
        : defaults.layers();
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
    boolean divided = !json.has("head_dim") && defaults.headDim() == 0;
    if (divided && hidden % heads != 0) {
      throw json.refuse(
          "hidden_size is %s, not a multiple of num_attention_heads %s".formatted(hidden, heads));
    }
    int headDim = json.positive("head_dim", divided ? hidden / heads : defaults.headDim());
    if (headDim % 2 != 0) {
      throw json.refuse("head_dim is %s, rotary positions need an even number".formatted(headDim));
    }
    if ((long) heads * headDim > Integer.MAX_VALUE / 3) {
      throw json.refuse(
          "num_attention_heads %s of head_dim %s are too many".formatted(heads, headDim));
    }
    return headDim;
  }

  private VocabularyHead head(ConfigJson whole) {
    if (whole.flag("tie_word_embeddings", defaults.tiedHead())) {
      return VocabularyHead.TIED;
    }
    String architecture = whole.root().path("architectures").path(0).asText("");
    boolean generates =
        architecture.isEmpty()
            || architecture.endsWith("ForCausalLM")
            || architecture.endsWith("ForConditionalGeneration");
    return generates ? VocabularyHead.OWN : VocabularyHead.NONE;
  }
}
