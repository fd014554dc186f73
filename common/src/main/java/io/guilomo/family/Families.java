package io.guilomo.family;

import com.fasterxml.jackson.databind.JsonNode;
import io.guilomo.family.FrozenTensors.Extent;
import io.guilomo.io.ConfigJson;
import io.guilomo.io.ModelDirectory;
import io.guilomo.io.OnnxModel;
import io.guilomo.io.TensorSource;
import io.guilomo.model.UserException;
import io.guilomo.network.Backbone;
import io.guilomo.network.BackboneConfig;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.apache.hadoop.conf.Configuration;

/**
 * The model families that are registered as services, in {@code
 * META-INF/services/io.guilomo.family.ModelFamily}. They load pretrained models from directories in
 * Hugging Face's layout, and where the family can do without {@code config.json}, from ONNX files.
 */
public final class Families {

  private static final List<ModelFamily> ALL =
      ServiceLoader.load(ModelFamily.class, ModelFamily.class.getClassLoader()).stream()
          .map(ServiceLoader.Provider::get)
          .toList();

  /** A model's shape, and the family that read it and reads its tensors. */
  private record Found(ModelFamily family, BackboneConfig config) {}

  private Families() {}

  /**
   * Loads the model of a directory: {@code model.safetensors}, its shards, or an ONNX file. All
   * values become float32 in the memory of the host.
   *
   * @throws UserException if the directory holds no model that can be run
   */
  public static Backbone load(String uri, Configuration conf) throws IOException {
    return load(uri, conf, FrozenMemory.host());
  }

  /**
   * As {@link #load(String, Configuration)}, into the given memory. No tensor is kept in the host's
   * memory as well.
   *
   * @throws UserException also if the memory cannot hold the type of its matrices
   */
  public static Backbone load(String uri, Configuration conf, FrozenMemory memory)
      throws IOException {
    return load(uri, conf, Extent.VALUES, memory);
  }

  /**
   * Reads only the shape of a model, and checks that its files have every tensor that it needs, in
   * the right shape. No values are read.
   *
   * @throws UserException if {@link #load} would refuse the directory
   */
  public static BackboneConfig check(String uri, Configuration conf) throws IOException {
    return load(uri, conf, Extent.SHAPES, null).config();
  }

  /**
   * The digest that the model has when it is loaded, without the memory for its values. Everything
   * is read.
   *
   * @throws UserException if {@link #load} would refuse the directory
   */
  public static String digest(String uri, Configuration conf) throws IOException {
    return load(uri, conf, Extent.DIGEST, null).digest();
  }

  private static Backbone load(String uri, Configuration conf, Extent extent, FrozenMemory memory)
      throws IOException {
    ModelDirectory directory = ModelDirectory.open(uri, conf);
    directory.requireWeights();
    Found found = find(directory);
    try (TensorSource source = directory.tensors()) {
      UnaryOperator<String> stored = found.family().storedNames(source.names());
      return read(found, new FrozenTensors.Files(directory, source, stored), extent, memory);
    }
  }

  /** A model of the given shape of tensors from any source, such as random ones. */
  public static Backbone make(
      BackboneConfig config, FrozenTensors.Source source, FrozenMemory memory) throws IOException {
    return read(new Found(family(config), config), source, Extent.VALUES, memory);
  }

  private static Backbone read(
      Found model, FrozenTensors.Source source, Extent extent, FrozenMemory memory)
      throws IOException {
    FrozenTensors tensors = new FrozenTensors(source, extent, memory);
    model.family().read(model.config(), tensors);
    return tensors.backbone(model.config());
  }

  private static ModelFamily family(BackboneConfig config) {
    return ALL.stream()
        .filter(family -> family.name().equals(config.family()))
        .findFirst()
        .orElseThrow(
            () -> new IllegalArgumentException("Cannot find the family " + config.family()));
  }

  /** Reads only the shape of a model, without its weights. */
  public static BackboneConfig config(String uri, Configuration conf) throws IOException {
    return find(ModelDirectory.open(uri, conf)).config();
  }

  private static Found find(ModelDirectory directory) throws IOException {
    if (!directory.has(ModelDirectory.CONFIG)) {
      if (directory.hasSafetensors() || directory.endingIn(".onnx").isEmpty()) {
        throw directory.refuse("it has no config.json, which tells the architecture");
      }
      return onnx(directory);
    }
    return find(
        new ConfigJson(
            directory.json(ModelDirectory.CONFIG), directory.file(ModelDirectory.CONFIG)),
        directory::refuse);
  }

  private static Found onnx(ModelDirectory directory) throws IOException {
    try (OnnxModel onnx = directory.onnx()) {
      for (ModelFamily family : ALL) {
        Optional<BackboneConfig> config = family.parse(onnx);
        if (config.isPresent()) {
          return new Found(family, config.get());
        }
      }
    }
    throw directory.refuse("it has no config.json, which tells the architecture");
  }

  /** The shape that a {@code config.json} tells. */
  public static BackboneConfig config(ConfigJson json) {
    return find(json, reason -> new UserException("Cannot load: " + reason)).config();
  }

  private static Found find(ConfigJson json, Function<String, UserException> refusal) {
    JsonNode named = json.root().path("architectures").path(0);
    JsonNode architecture =
        named.isMissingNode() || named.isNull() ? json.root().path("model_type") : named;
    if (!architecture.isTextual()) {
      throw refusal.apply("its config.json names neither architectures nor model_type");
    }
    String name = architecture.textValue();
    String known =
        ALL.stream()
            .flatMap(family -> family.architectures().stream())
            .sorted()
            .collect(Collectors.joining(", "));
    return ALL.stream()
        .filter(family -> family.architectures().contains(name) || family.modelType().equals(name))
        .findFirst()
        .map(family -> new Found(family, family.parse(json)))
        .orElseThrow(
            () -> refusal.apply("its architecture is %s, known are %s".formatted(name, known)));
  }

  /**
   * Checks the name of a family in a configuration.
   *
   * @throws UserException if it is neither {@code auto} nor the name of a family
   */
  public static void checkName(String name) {
    TreeSet<String> known =
        ALL.stream().map(ModelFamily::name).collect(Collectors.toCollection(TreeSet::new));
    if (!name.equals("auto") && !known.contains(name)) {
      throw new UserException(
          "Cannot use guilomo.model.family = %s: expected auto or one of %s",
          name, String.join(", ", known));
    }
  }

  /** Names of the linear modules of all families, each family's in the order of its blocks. */
  public static List<String> modules() {
    return ALL.stream().flatMap(family -> family.modules().stream()).distinct().toList();
  }
}
