package io.guilomo.adapter;

import io.guilomo.kernel.Kernels;
import io.guilomo.model.UserException;
import io.guilomo.network.Backbone;
import io.guilomo.network.BackboneConfig;
import io.guilomo.network.LoraMoeNetwork;
import io.guilomo.network.NamedParameters;
import io.guilomo.network.NetworkDefinition;
import io.guilomo.network.Stage;
import java.util.LinkedHashMap;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The result of fine-tuning: the trained tensors and their description, without the backbone.
 *
 * @param tensors by the names of {@link AdapterTensors}, row-major, of the shapes the plan asks for
 */
public record Adapter(AdapterDescription description, Map<String, INDArray> tensors) {

  /**
   * A copy of what a fine-tuned network has learned.
   *
   * @param parameters of a network in the fine-tuning stage for the plan of the description
   */
  public static Adapter of(AdapterDescription description, NamedParameters parameters) {
    Map<String, INDArray> tensors = new LinkedHashMap<>();
    AdapterTensors.views(description.plan(), !description.labels().isEmpty(), parameters)
        .forEach((name, view) -> tensors.put(name, view.dup('c')));
    return new Adapter(description, tensors);
  }

  /**
   * The network that the adapter belongs to, without dropout.
   *
   * @param config of the backbone
   * @param path of the backbone, which may have moved since
   * @throws UserException if the backbone has no such modules
   */
  public NetworkDefinition definition(BackboneConfig config, String path) {
    requireModules(config, path);
    return new NetworkDefinition(
        path,
        config,
        Stage.FINE_TUNING,
        description.plan().moduleExperts(),
        0,
        0,
        description.labels().size(),
        description.pooling(),
        0);
  }

  /**
   * @param path of the backbone
   * @throws UserException if the backbone has no such modules
   */
  void requireModules(BackboneConfig config, String path) {
    description
        .plan()
        .modules()
        .forEach(
            planned -> {
              if (!config.linearModules().contains(planned.module())) {
                throw new UserException(
                    "Cannot use the adapter with %s: it has no %s of %d×%d features",
                    path,
                    planned.module(),
                    planned.module().inFeatures(),
                    planned.module().outFeatures());
              }
            });
  }

  /**
   * A network with the adapter's tensors.
   *
   * @param path of the backbone
   * @throws UserException if the adapter was trained on another backbone
   */
  public LoraMoeNetwork network(Backbone backbone, String path, Kernels kernels) {
    requireDigest(backbone.digest(), path);
    LoraMoeNetwork network =
        LoraMoeNetwork.create(definition(backbone.config(), path), backbone, kernels);
    Map<String, INDArray> views =
        AdapterTensors.views(
            description.plan(),
            !description.labels().isEmpty(),
            NamedParameters.of(network.definition(), network.host().parameters()));
    tensors.forEach((name, tensor) -> views.get(name).assign(tensor));
    network.upload();
    return network;
  }

  /**
   * @param path of the backbone that has the digest
   * @throws UserException if the adapter was trained on another backbone
   */
  void requireDigest(String digest, String path) {
    if (!digest.equals(description.backboneDigest())) {
      throw new UserException(
          "Cannot use the adapter with %s: its digest is %s, the adapter was trained on %s with %s;"
              + " name that model",
          path, shortened(digest), description.backbone(), shortened(description.backboneDigest()));
    }
  }

  /** Bytes of the tensors. */
  long bytes() {
    return Float.BYTES * tensors.values().stream().mapToLong(INDArray::length).sum();
  }

  /** Features that a classifier's head reads; 0 if it is none. */
  public int headFeatures() {
    INDArray weight = tensors.get(AdapterTensors.CLASSIFIER_WEIGHT);
    return weight == null ? 0 : weight.columns();
  }

  /** {@code ‖W‖²} of a classifier's weights, its bias included; 0 if it is none. */
  public double headSquaredNorm() {
    double sum = 0;
    for (String name : AdapterTensors.CLASSIFIER) {
      INDArray tensor = tensors.get(name);
      if (tensor != null) {
        double norm = tensor.norm2Number().doubleValue();
        sum += norm * norm;
      }
    }
    return sum;
  }

  private static String shortened(String digest) {
    return digest.substring(0, Math.min(12, digest.length()));
  }
}
