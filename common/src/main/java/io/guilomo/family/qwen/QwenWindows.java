package io.guilomo.family.qwen;

import io.guilomo.family.LayerTypes;
import io.guilomo.io.ConfigJson;
import java.util.List;
import java.util.function.IntFunction;

/** What Qwen 2 and 3 have in common beside LLaMA: a window, if any, is for the upper layers. */
final class QwenWindows {

  static final int POSITIONS = 32_768;
  static final int KEY_VALUE_HEADS = 32;
  static final double EPSILON = 1e-6;
  private static final int WINDOW = 4096;
  private static final int FIRST_LAYER_WITH_WINDOW = 28;

  private QwenWindows() {}

  /** The windows of as many layers as there are. */
  static IntFunction<List<Integer>> of(ConfigJson json) {
    int window = window(json);
    int first = json.natural("max_window_layers", FIRST_LAYER_WITH_WINDOW);
    return layers -> LayerTypes.windows(json, layers, window, layer -> layer >= first);
  }

  /** 0 where none is used, whatever is given. */
  private static int window(ConfigJson json) {
    boolean none = json.root().path("sliding_window").isNull();
    return !json.flag("use_sliding_window", false) || none
        ? 0
        : json.positive("sliding_window", WINDOW);
  }
}
