package io.guilomo.config;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigParseOptions;
import com.typesafe.config.ConfigRenderOptions;
import io.guilomo.model.UserException;
import java.io.Serializable;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A validated configuration. {@code reference.conf} documents the keys; creating a configuration
 * with an unknown key or an invalid value fails. It is serialised to executors as JSON.
 */
public final class GuilomoConfig implements Serializable {

  static final String ROOT = "guilomo";

  private static final long serialVersionUID = 1;

  private final String json;
  private transient volatile Sections sections;

  private record Sections(
      RunConfig run,
      OutputConfig output,
      ModelConfig model,
      DataConfig data,
      LoraMoeConfig loraMoe,
      SearchConfig search,
      AllocationConfig allocation,
      FinetuneConfig finetune,
      EvaluateConfig evaluate,
      GenerationConfig generation,
      CompareConfig compare,
      KernelsConfig kernels,
      ClusterConfig cluster,
      CheckpointConfig checkpoint,
      TrackingConfig tracking) {}

  private GuilomoConfig(Config resolved) {
    this.json = resolved.withOnlyPath(ROOT).root().render(ConfigRenderOptions.concise());
    this.sections = sections(resolved);
  }

  /**
   * The defaults, overridden by the given configuration.
   *
   * @throws UserException if a key is unknown or a value is invalid
   */
  public static GuilomoConfig of(Config given) {
    Config reference = reference();
    try {
      Config resolved = given.withFallback(reference).resolve();
      new KnownKeys(reference).check(resolved);
      return new GuilomoConfig(resolved);
    } catch (ConfigException e) {
      throw new UserException("Cannot use the configuration: " + ConfigSource.firstLine(e), e);
    }
  }

  /**
   * The defaults, overridden by a file and then by overrides.
   *
   * @param file HOCON or JSON, on the local disk or any file system that Hadoop supports; null for
   *     none
   * @param overrides {@code path=value}, of which later ones win; {@code search.epochs} is short
   *     for {@code guilomo.search.epochs}
   * @throws UserException if the file cannot be read, a key is unknown or a value is invalid
   */
  public static GuilomoConfig load(String file, List<String> overrides) {
    return of(file == null ? ConfigFactory.empty() : ConfigSource.read(file), overrides);
  }

  private static GuilomoConfig of(Config given, List<String> overrides) {
    KnownKeys known = new KnownKeys(reference());
    Config config = given;
    for (String override : overrides) {
      config = ConfigSource.override(override, known).withFallback(config);
    }
    return of(config);
  }

  /** The inverse of {@link #asJson}. */
  public static GuilomoConfig fromJson(String json) {
    try {
      return of(ConfigFactory.parseString(json));
    } catch (ConfigException e) {
      throw new UserException("Cannot use the configuration: " + ConfigSource.firstLine(e), e);
    }
  }

  /**
   * This configuration with some keys overridden.
   *
   * @param overrides as in {@link #load}
   */
  public GuilomoConfig with(List<String> overrides) {
    return of(ConfigFactory.parseString(json), overrides);
  }

  public RunConfig run() {
    return sections().run;
  }

  public OutputConfig output() {
    return sections().output;
  }

  public ModelConfig model() {
    return sections().model;
  }

  public DataConfig data() {
    return sections().data;
  }

  public LoraMoeConfig loraMoe() {
    return sections().loraMoe;
  }

  public SearchConfig search() {
    return sections().search;
  }

  public AllocationConfig allocation() {
    return sections().allocation;
  }

  public FinetuneConfig finetune() {
    return sections().finetune;
  }

  public EvaluateConfig evaluate() {
    return sections().evaluate;
  }

  public GenerationConfig generation() {
    return sections().generation;
  }

  public CompareConfig compare() {
    return sections().compare;
  }

  public KernelsConfig kernels() {
    return sections().kernels;
  }

  public ClusterConfig cluster() {
    return sections().cluster;
  }

  public CheckpointConfig checkpoint() {
    return sections().checkpoint;
  }

  public TrackingConfig tracking() {
    return sections().tracking;
  }

  /**
   * The keys whose values differ from those in another configuration, without the root, such as
   * {@code search.epochs}; in alphabetical order.
   */
  public List<ChangedKey> changes(GuilomoConfig earlier) {
    Map<String, String> now = values();
    Map<String, String> before = earlier.values();
    return now.keySet().stream()
        .filter(key -> !now.get(key).equals(before.get(key)))
        .map(key -> new ChangedKey(key, before.get(key), now.get(key)))
        .toList();
  }

  /** All keys, without the root, and their values, in alphabetical order. */
  public Map<String, String> values() {
    Map<String, String> values = new TreeMap<>();
    ConfigFactory.parseString(json)
        .getConfig(ROOT)
        .entrySet()
        .forEach(entry -> values.put(entry.getKey(), entry.getValue().unwrapped().toString()));
    return values;
  }

  /** All keys and values, in one line. */
  public String asJson() {
    return json;
  }

  /** All keys and values in readable form, as in {@code config.conf} of a run. */
  public String asHocon() {
    return ConfigFactory.parseString(json)
        .root()
        .render(
            ConfigRenderOptions.defaults()
                .setOriginComments(false)
                .setComments(false)
                .setJson(false));
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof GuilomoConfig config && json.equals(config.json);
  }

  @Override
  public int hashCode() {
    return json.hashCode();
  }

  @Override
  public String toString() {
    return json;
  }

  static Config reference() {
    return ConfigFactory.parseResources(
        GuilomoConfig.class.getClassLoader(),
        "reference.conf",
        ConfigParseOptions.defaults().setAllowMissing(false));
  }

  static String require(String key, String value) {
    if (value.isBlank()) {
      throw new UserException(
          "Cannot run without %s.%s: set it in the configuration file or with --set", ROOT, key);
    }
    return value;
  }

  // Parsed again after deserialisation, so that the records need not be serialisable.
  private Sections sections() {
    Sections made = sections;
    if (made == null) {
      made = sections(ConfigFactory.parseString(json));
      sections = made;
    }
    return made;
  }

  private static Sections sections(Config config) {
    ConfigSection root = new ConfigSection(config, ROOT);
    LoraMoeConfig loraMoe = LoraMoeConfig.of(root.section("lora-moe"));
    return new Sections(
        RunConfig.of(root.section("run")),
        OutputConfig.of(root.section("output")),
        ModelConfig.of(root.section("model")),
        DataConfig.of(root.section("data")),
        loraMoe,
        SearchConfig.of(root.section("search")),
        AllocationConfig.of(root.section("allocation")),
        FinetuneConfig.of(root.section("finetune")),
        EvaluateConfig.of(root.section("evaluate")),
        GenerationConfig.of(root.section("generation")),
        CompareConfig.of(root.section("compare"), loraMoe.form()),
        KernelsConfig.of(root.section("kernels")),
        ClusterConfig.of(root.section("cluster")),
        CheckpointConfig.of(root.section("checkpoint")),
        TrackingConfig.of(root.section("tracking")));
  }

  /** A key whose values differ between two configurations. */
  public record ChangedKey(String key, String before, String now) {

    @Override
    public String toString() {
      return key + " from " + before + " to " + now;
    }
  }
}
