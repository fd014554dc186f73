package io.guilomo.family;

import io.guilomo.io.ConfigJson;

/** The number of a model's layers, for each of which there is memory before tensors are read. */
public final class LayerCount {

  /** Far above the deepest models. */
  private static final int MOST = 10_000;

  private LayerCount() {}

  /**
   * The number of layers that a key tells.
   *
   * @throws io.guilomo.model.UserException if it is missing, or no integer from 1 to 10,000
   */
  public static int parse(ConfigJson json, String key) {
    int layers = json.positive(key);
    if (layers > MOST) {
      throw json.refuse("%s is %s, maximum is %s".formatted(key, layers, MOST));
    }
    return layers;
  }
}
