package io.guilomo.network;

import io.guilomo.kernel.FrozenMatrix;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A frozen pretrained transformer. Its tensors are shared by everything in the JVM and never
 * written. Parts of {@code config} ask for them by name: of a linear layer or norm called {@code
 * NAME}, {@code NAME.weight} and {@code NAME.bias}.
 *
 * @param digest hexadecimal sha256 over the names, shapes and values of the tensors
 * @param matrices linear weights and embedding tables
 * @param vectors biases, and the weights of norms
 * @param classifier of the checkpoint; null where its {@linkplain BackboneConfig#pretrainedHead
 *     configuration} names none
 * @param errors of matrices that were rounded to 8 bits
 */
public record Backbone(
    BackboneConfig config,
    String digest,
    Map<String, FrozenMatrix> matrices,
    Map<String, INDArray> vectors,
    PretrainedClassifier classifier,
    WeightErrors errors) {

  /** The name of the token embeddings {@code [vocabulary, hidden]}. */
  public static final String WORDS = "embedding.words";

  /** One whose matrices were not rounded to 8 bits. */
  public Backbone(
      BackboneConfig config,
      String digest,
      Map<String, FrozenMatrix> matrices,
      Map<String, INDArray> vectors,
      PretrainedClassifier classifier) {
    this(config, digest, matrices, vectors, classifier, WeightErrors.NONE);
  }

  public Backbone {
    matrices = Map.copyOf(matrices);
    vectors = Map.copyOf(vectors);
  }

  /** A linear weight or an embedding table, {@code [rows, columns]}. */
  public FrozenMatrix matrix(String name) {
    return required(matrices.get(name), name);
  }

  /** The weight of a norm or a bias. */
  public INDArray vector(String name) {
    return required(vectors.get(name), name);
  }

  /** The bias of a linear layer, or null if it has none. */
  public INDArray bias(String layer) {
    return vectors.get(layer + ".bias");
  }

  private static <T> T required(T tensor, String name) {
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
