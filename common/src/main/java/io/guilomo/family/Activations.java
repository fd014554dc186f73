package io.guilomo.family;

import io.guilomo.io.ConfigJson;
import io.guilomo.kernel.Activation;
import java.util.Map;
import java.util.TreeSet;

/** The activation functions of feed-forward layers by Hugging Face's names. */
public final class Activations {

  private static final Map<String, Activation> BY_NAME =
      Map.of(
          "gelu", Activation.GELU,
          "gelu_python", Activation.GELU,
          "gelu_new", Activation.GELU_TANH,
          "gelu_fast", Activation.GELU_TANH,
          "gelu_pytorch_tanh", Activation.GELU_TANH,
          "relu", Activation.RELU,
          "silu", Activation.SILU,
          "swish", Activation.SILU,
          "tanh", Activation.TANH);

  private Activations() {}

  /**
   * The activation that a key names.
   *
   * @param otherwise what an absent key means
   * @throws io.guilomo.model.UserException if there is no such function here
   */
  public static Activation parse(ConfigJson json, String key, String otherwise) {
    String name = json.text(key, otherwise);
    Activation activation = BY_NAME.get(name);
    if (activation == null) {
      throw json.refuse(
          "%s is %s, supported are %s"
              .formatted(key, name, String.join(", ", new TreeSet<>(BY_NAME.keySet()))));
    }
    return activation;
  }
}
