package io.guilomo.family;

import com.fasterxml.jackson.databind.JsonNode;
import io.guilomo.io.ConfigJson;
import io.guilomo.io.ModelDirectory;
import io.guilomo.io.OnnxModel;
import io.guilomo.model.ModulePaths;
import io.guilomo.model.UserException;
import io.guilomo.network.BackboneConfig;
import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.hadoop.conf.Configuration;

/**
 * The model families that are registered as services, in {@code
 * META-INF/services/io.guilomo.family.ModelFamily}, and which of them a model is of. {@link
 * ModelReader} reads the model.
 */
public final class Families {

  private static final List<ModelFamily> ALL =
      ServiceLoader.load(ModelFamily.class, ModelFamily.class.getClassLoader()).stream()
          .map(ServiceLoader.Provider::get)
          .toList();

  private static final String QUANTIZATION = "quantization_config";

  /** A model's shape, and the family that read it and reads its tensors. */
  record Found(ModelFamily family, BackboneConfig config) {}

  private Families() {}

  static ModelFamily family(BackboneConfig config) {
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

  static Found find(ModelDirectory directory) throws IOException {
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
    refuseQuantized(json, name);
    return ALL.stream()
        .filter(
            family -> family.architectures().contains(name) || family.modelTypes().contains(name))
        .findFirst()
        .map(family -> new Found(family, family.parse(json)))
        .orElseThrow(
            () ->
                refusal.apply(
                    "its architecture is %s, which is of none of the families %s"
                        .formatted(name, String.join(", ", names()))));
  }

  private static void refuseQuantized(ConfigJson json, String architecture) {
    boolean text =
        json.has("text_config") && json.root().get("text_config").hasNonNull(QUANTIZATION);
    if (!text && !json.has(QUANTIZATION)) {
      return;
    }
    JsonNode quantization = (text ? json.root().get("text_config") : json.root()).get(QUANTIZATION);
    String method = quantization.path("quant_method").asText();
    throw json.refuse(
        ("it has a quantization_config%s, and weights must be floating-point numbers; take the"
                + " model that was quantized, or dequantize this one with python3 -c \"import"
                + " transformers as t; m = t.%s.from_pretrained('MODEL'); m.dequantize();"
                + " m.save_pretrained('NEW')\" and copy the tokenizer's files")
            .formatted(method.isEmpty() ? "" : " (" + method + ")", architecture));
  }

  private static TreeSet<String> names() {
    return ALL.stream().map(ModelFamily::name).collect(Collectors.toCollection(TreeSet::new));
  }

  /**
   * Checks the name of a family in a configuration.
   *
   * @throws UserException if it is neither {@code auto} nor the name of a family
   */
  public static void checkName(String name) {
    TreeSet<String> known = names();
    if (!name.equals("auto") && !known.contains(name)) {
      throw new UserException(
          "Cannot use guilomo.model.family = %s: expected auto or one of %s",
          name, String.join(", ", known));
    }
  }

  /**
   * The paths of the first registered family that has modules of these names, for files that do not
   * tell their family.
   *
   * @throws UserException if no family has all of them
   */
  public static ModulePaths paths(Collection<String> modules) {
    return ALL.stream()
        .filter(family -> family.modules().containsAll(modules))
        .findFirst()
        .orElseThrow(
            () ->
                new UserException(
                    "Cannot tell the model that has modules %s: known are %s",
                    new TreeSet<>(modules), modules()))
        .paths();
  }

  /** Names of the linear modules of all families, each family's in the order of its blocks. */
  public static List<String> modules() {
    return ALL.stream().flatMap(family -> family.modules().stream()).distinct().toList();
  }
}
