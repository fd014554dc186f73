package io.guilomo.network;

import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A frozen pretrained transformer. Its tensors are shared by everything in the JVM and never
 * written.
 *
 * @param digest hexadecimal sha256 over the names, shapes and values of the tensors
 * @param tensors by the names under which the parts of {@code config} ask for them: of a linear
 *     layer or norm called {@code NAME}, {@code NAME.weight} and {@code NAME.bias}
 */
public record Backbone(BackboneConfig config, String digest, Map<String, INDArray> tensors) {

  /** The name of the token embeddings {@code [vocabulary, hidden]}. */
  public static final String WORDS = "embedding.words";

  public Backbone {
    tensors = Map.copyOf(tensors);
  }

  /** A linear weight or an embedding table, {@code [rows, columns]}. */
  public INDArray matrix(String name) {
    return required(name);
  }

  /** The weight of a norm or a bias. */
  public INDArray vector(String name) {
    return required(name);
  }

  /** The bias of a linear layer, or null if it has none. */
  public INDArray bias(String layer) {
    return tensors.get(layer + ".bias");
  }

  private INDArray required(String name) {
    INDArray tensor = tensors.get(name);
    if (tensor == null) {
      throw new IllegalArgumentException("Cannot find the frozen tensor " + name);
    }
    return tensor;
  }

  /** Large: not all tensors. */
  @Override
  public String toString() {
    return config + " " + digest;
  }
}
