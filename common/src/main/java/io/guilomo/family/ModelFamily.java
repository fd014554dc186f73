package io.guilomo.family;

import io.guilomo.io.ConfigJson;
import io.guilomo.io.OnnxModel;
import io.guilomo.network.BackboneConfig;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;

/**
 * A family of pretrained transformers: how its files are read. What its models are made of, their
 * {@link BackboneConfig} says. Families are found as services; see {@link Families}.
 */
public interface ModelFamily {

  /** The family's name: {@code llama}, {@code bert}, … */
  String name();

  /** Architectures of the family, by the names in {@code architectures} of a config.json. */
  Set<String> architectures();

  /** The family's {@code model_type} in a config.json. */
  default String modelType() {
    return name();
  }

  /**
   * Reads the shape of a model.
   *
   * @throws io.guilomo.model.UserException if the model cannot be run
   */
  BackboneConfig parse(ConfigJson json);

  /**
   * Reads the shape of a model from an ONNX file that has no config.json beside it.
   *
   * @return empty where the family's models do not come in such files
   * @throws io.guilomo.model.UserException if the graph does not tell the shape
   */
  default Optional<BackboneConfig> parse(OnnxModel onnx) throws IOException {
    return Optional.empty();
  }

  /**
   * What files call the tensors that {@link #read} asks for.
   *
   * @param stored names of all tensors of the files
   */
  default UnaryOperator<String> storedNames(Set<String> stored) {
    return name -> name;
  }

  /** Reads all frozen tensors of a model of the family. */
  void read(BackboneConfig config, FrozenTensors tensors) throws IOException;

  /** Names of the linear modules of a block, in the order in which it computes them. */
  List<String> modules();
}
