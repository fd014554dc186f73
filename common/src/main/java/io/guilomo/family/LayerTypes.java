package io.guilomo.family;

import io.guilomo.io.ConfigJson;
import java.util.List;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;

/**
 * Which layers of a model attend to a window of tokens and which to all: {@code layer_types}, or
 * where that is absent a pattern that each family has its own keys for.
 */
public final class LayerTypes {

  private static final String KEY = "layer_types";

  /** The type of layers that attend to all tokens. */
  static final String GLOBAL = "full_attention";

  /** The type of layers that attend to a window of tokens. */
  static final String LOCAL = "sliding_attention";

  private LayerTypes() {}

  /**
   * Whether each layer attends to a window.
   *
   * @param otherwise for a layer of a model without {@code layer_types}
   * @throws io.guilomo.model.UserException if there is another kind of attention
   */
  public static List<Boolean> local(ConfigJson json, int layers, IntPredicate otherwise) {
    if (!json.has(KEY)) {
      return IntStream.range(0, layers).mapToObj(otherwise::test).toList();
    }
    List<String> types = json.texts(KEY);
    if (types.size() != layers) {
      throw json.refuse(
          "%s has %d entries, num_hidden_layers is %d".formatted(KEY, types.size(), layers));
    }
    for (String type : types) {
      if (!type.equals(LOCAL) && !type.equals(GLOBAL)) {
        throw json.refuse("%s has %s, supported are %s and %s".formatted(KEY, type, GLOBAL, LOCAL));
      }
    }
    return types.stream().map(LOCAL::equals).toList();
  }

  /**
   * The window of each layer, 0 for none.
   *
   * @param window of those that have one
   */
  public static List<Integer> windows(
      ConfigJson json, int layers, int window, IntPredicate otherwise) {
    return local(json, layers, otherwise).stream().map(local -> local ? window : 0).toList();
  }
}
