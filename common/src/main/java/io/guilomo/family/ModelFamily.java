package io.guilomo.family;

import io.guilomo.io.ConfigJson;
import io.guilomo.io.OnnxModel;
import io.guilomo.model.ModulePaths;
import io.guilomo.network.BackboneConfig;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * A family of pretrained transformers: how its files are read. What its models are made of, their
 * {@link BackboneConfig} says. Families are found as services; see {@link Families}.
 */
public interface ModelFamily {

  /** The family's name: {@code llama}, {@code bert}, … */
  String name();

  /** What the family covers, in a few words for its users. */
  String covers();

  /** Architectures of the family, by the names in {@code architectures} of a config.json. */
  Set<String> architectures();

  /** What {@code model_type} is in the config.json of the family's models. */
  default Set<String> modelTypes() {
    return Set.of(name());
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
   * Reads all frozen tensors of a model of the family. Names are those of the base model: which
   * prefix the files have, and whether norms are called by their first names, is found out.
   */
  void read(BackboneConfig config, FrozenTensors tensors) throws IOException;

  /** Where Hugging Face's classes of the family keep the modules of a block. */
  ModulePaths paths();

  /**
   * Hugging Face's class for sequence classification of a model, whatever class its config.json
   * names.
   *
   * @throws io.guilomo.model.UserException if the config.json names no class
   */
  default String classifierArchitecture(ConfigJson json) {
    String named = json.root().path("architectures").path(0).asText("");
    if (named.isEmpty()) {
      throw json.refuse("architectures is missing");
    }
    return SequenceHead.architecture(named.replaceFirst("(For[A-Z]\\w*|Model)$", ""));
  }

  /** Names of the linear modules of a block, in the order in which it computes them. */
  default List<String> modules() {
    return List.copyOf(paths().modules().keySet());
  }
}
