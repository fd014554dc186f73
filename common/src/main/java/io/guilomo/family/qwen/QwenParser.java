package io.guilomo.family.qwen;

import io.guilomo.family.Activations;
import io.guilomo.family.LayerTypes;
import io.guilomo.family.RopeParser;
import io.guilomo.family.llama.DecoderParser;
import io.guilomo.family.llama.DecoderSizes;
import io.guilomo.family.llama.LlamaConfig;
import io.guilomo.family.llama.LlamaConfig.Option;
import io.guilomo.io.ConfigJson;
import io.guilomo.network.Rope;
import java.util.Set;

/** Reads the {@code config.json} of Qwen 2 and 3: a window, if any, is for the upper layers. */
final class QwenParser {

  static final int POSITIONS = 32_768;
  static final int KEY_VALUE_HEADS = 32;
  static final double EPSILON = 1e-6;
  private static final double THETA = 10_000;
  private static final int WINDOW = 4096;
  private static final int FIRST_LAYER_WITH_WINDOW = 28;

  private QwenParser() {}

  static LlamaConfig parse(
      String family, ConfigJson json, DecoderParser.Defaults defaults, Set<Option> options) {
    DecoderSizes sizes = new DecoderParser(json, defaults).sizes();
    Rope rope = new RopeParser(json, sizes.maxPositions(), sizes.headDim()).global(THETA);
    int window = window(json);
    int first = json.natural("max_window_layers", FIRST_LAYER_WITH_WINDOW);
    return new LlamaConfig(
        family,
        sizes.withPositions(RopeParser.longest(rope, sizes.maxPositions())),
        Activations.parse(json, "hidden_act", "silu"),
        rope,
        LayerTypes.windows(json, sizes.layers(), window, layer -> layer >= first),
        options);
  }

  /** 0 where none is used, whatever is given. */
  private static int window(ConfigJson json) {
    boolean none = json.root().path("sliding_window").isNull();
    return !json.flag("use_sliding_window", false) || none
        ? 0
        : json.positive("sliding_window", WINDOW);
  }
}
