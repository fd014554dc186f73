package io.guilomo.family;

import com.fasterxml.jackson.databind.JsonNode;
import io.guilomo.family.FrozenTensors.Extent;
import io.guilomo.io.ConfigJson;
import io.guilomo.io.ModelDirectory;
import io.guilomo.io.OnnxModel;
import io.guilomo.io.SafetensorsModel;
import io.guilomo.io.TensorSource;
import io.guilomo.model.LinearModule;
import io.guilomo.model.ModulePaths;
import io.guilomo.model.UserException;
import io.guilomo.network.Backbone;
import io.guilomo.network.BackboneConfig;
import io.guilomo.network.PretrainedClassifier;
import io.guilomo.network.WeightErrors;
import java.io.Closeable;
import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.hadoop.conf.Configuration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The model families that are registered as services, in {@code
 * META-INF/services/io.guilomo.family.ModelFamily}. They load pretrained models from directories in
 * Hugging Face's layout, and where the family can do without {@code config.json}, from ONNX files.
 */
public final class Families {

  private static final Logger LOG = LoggerFactory.getLogger(Families.class);

  private static final List<ModelFamily> ALL =
      ServiceLoader.load(ModelFamily.class, ModelFamily.class.getClassLoader()).stream()
          .map(ServiceLoader.Provider::get)
          .toList();

  private static final String QUANTIZATION = "quantization_config";

  /** A model's shape, and the family that read it and reads its tensors. */
  private record Found(ModelFamily family, BackboneConfig config) {}

  /**
   * A model whose files have every tensor that it needs.
   *
   * @param unread what else they have
   */
  public record Checked(BackboneConfig config, UnreadTensors unread) {}

  private record Loaded(Backbone backbone, UnreadTensors unread) {}

  /** The weights of a model's directory, whose tensors the family asks {@code files} for. */
  private record Opened(
      ModelDirectory directory, Found found, TensorSource source, FrozenFiles files)
      implements Closeable {

    static Opened of(String uri, Configuration conf) throws IOException {
      ModelDirectory directory = ModelDirectory.open(uri, conf);
      directory.requireWeights();
      Found found = find(directory);
      TensorSource source = directory.tensors();
      return new Opened(
          directory,
          found,
          source,
          new FrozenFiles(directory, source, found.family().paths().base()));
    }

    @Override
    public void close() throws IOException {
      source.close();
    }
  }

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
    Loaded loaded = load(uri, conf, Extent.VALUES, memory);
    loaded.unread().describe().ifPresent(text -> LOG.info("{}: {}", uri, text));
    WeightErrors errors = loaded.backbone().errors();
    if (!errors.kinds().isEmpty()) {
      LOG.info("{}: {}", uri, errors.describe());
    }
    return loaded.backbone();
  }

  /**
   * What rounding to 8 bits loses of the matrices of a model, without the memory for its values.
   * Everything is read.
   *
   * @throws UserException if {@link #load} would refuse to keep the model so
   */
  public static WeightErrors errors(String uri, Configuration conf) throws IOException {
    return load(uri, conf, Extent.ERRORS, null).backbone().errors();
  }

  /**
   * Reads only the shape of a model, and checks that its files have every tensor that it needs, in
   * the right shape. No values are read.
   *
   * @throws UserException if {@link #load} would refuse the directory
   */
  public static Checked check(String uri, Configuration conf) throws IOException {
    Loaded loaded = load(uri, conf, Extent.SHAPES, null);
    return new Checked(loaded.backbone().config(), loaded.unread());
  }

  /**
   * The digest that the model has when it is loaded, without the memory for its values. Everything
   * is read.
   *
   * @throws UserException if {@link #load} would refuse the directory
   */
  public static String digest(String uri, Configuration conf) throws IOException {
    return load(uri, conf, Extent.DIGEST, null).backbone().digest();
  }

  /**
   * Where a classifier over the model can start; null if the checkpoint has no classifier. Reads
   * nothing else.
   *
   * @throws UserException if {@link #load} would refuse the directory
   */
  public static PretrainedClassifier classifier(String uri, Configuration conf) throws IOException {
    return load(uri, conf, Extent.CLASSIFIER, null).backbone().classifier();
  }

  private static Loaded load(String uri, Configuration conf, Extent extent, FrozenMemory memory)
      throws IOException {
    try (Opened opened = Opened.of(uri, conf)) {
      FrozenFiles files = opened.files();
      Backbone shape = read(opened.found(), files, Extent.SHAPES, null);
      // Refuses tensors that nobody asks for, before gigabytes are read.
      UnreadTensors unread = files.unread();
      return new Loaded(
          extent == Extent.SHAPES ? shape : read(opened.found(), files, extent, memory), unread);
    }
  }

  /**
   * The frozen weight of one module, {@code [out · in]} in row-major order, as float32. Nothing
   * else is read.
   *
   * @throws UserException if {@link #load} would refuse the directory
   */
  public static float[] weight(String uri, Configuration conf, LinearModule module)
      throws IOException {
    try (Opened opened = Opened.of(uri, conf)) {
      SoughtTensor sought =
          new SoughtTensor(opened.files(), opened.found().family().paths(), module);
      read(opened.found(), sought, Extent.SHAPES, null);
      return sought.values();
    }
  }

  /**
   * The files of a model, to be written again. No values are read.
   *
   * @throws UserException if {@link #load} would refuse the directory, or its weights are not
   *     safetensors
   */
  public static StoredModel stored(String uri, Configuration conf) throws IOException {
    Opened opened = Opened.of(uri, conf);
    try {
      if (!(opened.source() instanceof SafetensorsModel weights)) {
        throw new UserException(
            "Cannot merge into %s: its weights are an ONNX file; name its safetensors version with"
                + " --model, or load the adapter with deploy/python",
            uri);
      }
      ModelDirectory directory = opened.directory();
      Found found = opened.found();
      read(found, opened.files(), Extent.SHAPES, null);
      opened.files().unread();
      ConfigJson json =
          new ConfigJson(
              directory.json(ModelDirectory.CONFIG), directory.file(ModelDirectory.CONFIG));
      return new StoredModel(
          directory, weights, found.family(), found.config(), json, opened.files().read());
    } catch (IOException | RuntimeException e) {
      opened.close();
      throw e;
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
