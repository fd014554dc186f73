package io.guilomo.spark.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.guilomo.config.GuilomoConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.spark.SparkConf;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/** The manifest for the Spark operator, which must say what the other examples say. */
class TestSparkApplication {

  private static final Path EXAMPLES = Path.of("../deploy/examples").toAbsolutePath().normalize();

  /**
   * The fields that the manifest uses, as {@code sparkoperator.k8s.io/v1beta2} of the operator's
   * release 2.5.2 has them. Those of the core of Kubernetes are not listed.
   */
  private static final Map<String, Class<?>> FIELDS =
      Map.ofEntries(
          Map.entry("type", String.class),
          Map.entry("mode", String.class),
          Map.entry("sparkVersion", String.class),
          Map.entry("image", String.class),
          Map.entry("imagePullPolicy", String.class),
          Map.entry("mainClass", String.class),
          Map.entry("mainApplicationFile", String.class),
          Map.entry("arguments", List.class),
          Map.entry("restartPolicy.type", String.class),
          Map.entry("restartPolicy.onFailureRetries", Integer.class),
          Map.entry("restartPolicy.onFailureRetryInterval", Integer.class),
          Map.entry("restartPolicy.onSubmissionFailureRetries", Integer.class),
          Map.entry("restartPolicy.onSubmissionFailureRetryInterval", Integer.class),
          Map.entry("sparkConf", Map.class),
          Map.entry("hadoopConf", Map.class),
          Map.entry("driver.cores", Integer.class),
          Map.entry("driver.memory", String.class),
          Map.entry("driver.memoryOverhead", String.class),
          Map.entry("driver.serviceAccount", String.class),
          Map.entry("driver.javaOptions", String.class),
          Map.entry("driver.env", List.class),
          Map.entry("executor.instances", Integer.class),
          Map.entry("executor.cores", Integer.class),
          Map.entry("executor.memory", String.class),
          Map.entry("executor.memoryOverhead", String.class),
          Map.entry("executor.javaOptions", String.class),
          Map.entry("executor.env", List.class),
          Map.entry("executor.affinity", Map.class));

  private Map<String, Object> manifest;
  private Map<String, Object> spec;

  @BeforeEach
  void read() throws IOException {
    manifest = yaml(EXAMPLES.resolve("sparkapplication.yaml"));
    spec = map(manifest.get("spec"));
  }

  @Test
  void hasTheFieldsOfTheOperator() {
    assertThat(manifest)
        .containsEntry("apiVersion", "sparkoperator.k8s.io/v1beta2")
        .containsEntry("kind", "SparkApplication");
    Map<String, Object> found = new HashMap<>();
    spec.forEach(
        (name, value) -> {
          if (List.of("restartPolicy", "driver", "executor").contains(name)) {
            map(value).forEach((inner, field) -> found.put(name + "." + inner, field));
          } else {
            found.put(name, value);
          }
        });
    assertThat(found.keySet()).isEqualTo(FIELDS.keySet());
    found.forEach((name, value) -> assertThat(value).as(name).isInstanceOf(FIELDS.get(name)));
    assertThat(List.of("Java", "Python", "Scala", "R")).contains((String) spec.get("type"));
    assertThat(List.of("cluster", "client")).contains((String) spec.get("mode"));
    assertThat(List.of("Never", "Always", "OnFailure"))
        .contains((String) map(spec.get("restartPolicy")).get("type"));
    for (String conf : List.of("sparkConf", "hadoopConf")) {
      map(spec.get(conf))
          .forEach((key, value) -> assertThat(value).as(key).isInstanceOf(String.class));
    }
  }

  @Test
  void itsAccountMayStartExecutors() throws IOException {
    String account = (String) map(spec.get("driver")).get("serviceAccount");
    Object namespace = map(manifest.get("metadata")).get("namespace");
    List<Map<String, Object>> objects = new ArrayList<>();
    new Yaml(new SafeConstructor(new LoaderOptions()))
        .loadAll(Files.readString(EXAMPLES.resolve("rbac.yaml")))
        .forEach(object -> objects.add(map(object)));
    assertThat(objects)
        .extracting(object -> object.get("kind"))
        .containsExactly("Namespace", "ServiceAccount", "Role", "RoleBinding");
    assertThat(map(objects.get(0).get("metadata"))).containsEntry("name", namespace);
    assertThat(map(objects.get(1).get("metadata")))
        .containsEntry("name", account)
        .containsEntry("namespace", namespace);
    Map<String, Object> binding = objects.get(3);
    assertThat(map(((List<?>) binding.get("subjects")).get(0)))
        .containsEntry("name", account)
        .containsEntry("namespace", namespace);
    assertThat(map(binding.get("roleRef")))
        .containsEntry("name", map(objects.get(2).get("metadata")).get("name"));
    assertThat(map(((List<?>) objects.get(2).get("rules")).get(0)).get("resources"))
        .asInstanceOf(InstanceOfAssertFactories.LIST)
        .contains("pods", "services", "configmaps");
    assertThat(Files.readString(EXAMPLES.resolve("kubernetes.sh")))
        .contains("serviceAccountName=" + account, "${NAMESPACE:=" + namespace + "}");
  }

  /**
   * With {@code -Dguilomo.spark-operator.crd=FILE}, the operator's own definition of the resource.
   */
  @Test
  void fitsTheOperatorsOwnDefinition() throws IOException {
    String file = System.getProperty("guilomo.spark-operator.crd", "");
    assumeTrue(!file.isEmpty(), "skipped: property guilomo.spark-operator.crd names no file");
    List<?> versions = (List<?>) map(yaml(Path.of(file)).get("spec")).get("versions");
    Map<String, Object> version =
        versions.stream()
            .map(TestSparkApplication::map)
            .filter(candidate -> candidate.get("name").equals("v1beta2"))
            .findFirst()
            .orElseThrow();
    Map<String, Object> schema = map(map(version.get("schema")).get("openAPIV3Schema"));
    List<String> problems = new ArrayList<>();
    check(schema, manifest, "", problems);
    assertThat(problems).isEmpty();
    // It does refuse.
    map(spec.get("driver")).put("core", 2);
    map(spec.get("executor")).put("cores", "eight");
    spec.remove("sparkVersion");
    check(schema, manifest, "", problems);
    assertThat(problems)
        .containsExactlyInAnyOrder(
            ".spec.driver.core: unknown",
            ".spec.executor.cores: eight is no integer",
            ".spec.sparkVersion: missing");
  }

  /** What an API server checks, and that no field is unknown, which it would drop. */
  private static void check(
      Map<String, Object> schema, Object value, String path, List<String> problems) {
    if (Boolean.TRUE.equals(schema.get("x-kubernetes-int-or-string"))) {
      return;
    }
    String type = (String) schema.get("type");
    boolean fits =
        switch (type) {
          case "object" -> value instanceof Map;
          case "array" -> value instanceof List;
          case "string" -> value instanceof String;
          case "integer" -> value instanceof Integer || value instanceof Long;
          case "boolean" -> value instanceof Boolean;
          default -> value instanceof Number;
        };
    if (!fits) {
      problems.add(path + ": " + value + " is no " + type);
    } else if (value instanceof List<?> list) {
      list.forEach(item -> check(map(schema.get("items")), item, path + "[]", problems));
    } else if (value instanceof Map) {
      checkFields(schema, map(value), path, problems);
    } else {
      if (schema.get("enum") instanceof List<?> allowed && !allowed.contains(value)) {
        problems.add(path + ": " + value + " is not one of " + allowed);
      }
      if (schema.get("minimum") instanceof Number least
          && ((Number) value).doubleValue() < least.doubleValue()) {
        problems.add(path + ": " + value + " is less than " + least);
      }
      if (schema.get("pattern") instanceof String pattern
          && !Pattern.compile(pattern).matcher((String) value).find()) {
        problems.add(path + ": " + value + " does not match " + pattern);
      }
    }
  }

  private static void checkFields(
      Map<String, Object> schema, Map<String, Object> value, String path, List<String> problems) {
    if (schema.get("required") instanceof List<?> required) {
      for (Object name : required) {
        if (!value.containsKey(name)) {
          problems.add(path + "." + name + ": missing");
        }
      }
    }
    if (!schema.containsKey("properties") && !schema.containsKey("additionalProperties")) {
      return;
    }
    Map<String, Object> properties =
        schema.containsKey("properties") ? map(schema.get("properties")) : Map.of();
    Map<String, Object> others =
        schema.get("additionalProperties") instanceof Map<?, ?> any ? map(any) : Map.of();
    value.forEach(
        (name, field) -> {
          Map<String, Object> own =
              properties.containsKey(name) ? map(properties.get(name)) : others;
          if (own.isEmpty()) {
            problems.add(path + "." + name + ": unknown");
          } else {
            check(own, field, path + "." + name, problems);
          }
        });
  }

  @Test
  void itsArgumentsAreThoseOfAConfiguration() {
    List<String> arguments =
        ((List<?>) spec.get("arguments")).stream().map(String.class::cast).toList();
    assertThat(arguments.subList(0, 2)).containsExactly("allocate", "--config");
    Path config = EXAMPLES.resolve("../../conf").resolve(Path.of(arguments.get(2)).getFileName());
    GuilomoConfig read =
        GuilomoConfig.load(
            config.toString(),
            arguments.subList(3, arguments.size()).stream()
                .filter(argument -> !argument.equals("--set"))
                .toList());
    Map<String, Object> executor = map(spec.get("executor"));
    assertThat(read.run().id()).isNotEmpty();
    assertThat(read.cluster().workers()).isEqualTo(executor.get("instances"));
    assertThat(map(spec.get("sparkConf")))
        .containsEntry("spark.task.cpus", "" + executor.get("cores"));
  }

  @Test
  void itsSettingsAreTheDefaults() {
    SparkConf conf = TestDeployExamples.defaults();
    for (String process : List.of("driver", "executor")) {
      Map<String, Object> own = map(spec.get(process));
      assertThat(own)
          .containsEntry("javaOptions", conf.get("spark." + process + ".extraJavaOptions"))
          .containsEntry("memory", conf.get("spark." + process + ".memory"))
          .containsEntry("memoryOverhead", conf.get("spark." + process + ".memoryOverhead"));
      assertThat(((List<?>) own.get("env")).get(0))
          .isEqualTo(
              Map.of(
                  "name", "GLIBC_TUNABLES", "value", conf.get("spark.executorEnv.GLIBC_TUNABLES")));
    }
    for (String key :
        List.of(
            "spark.driver.maxResultSize", "spark.dynamicAllocation.enabled", "spark.speculation")) {
      assertThat(map(spec.get("sparkConf"))).containsEntry(key, conf.get(key));
    }
    map(spec.get("hadoopConf"))
        .forEach((key, value) -> assertThat(conf.get("spark.hadoop." + key)).isEqualTo(value));
  }

  @Test
  void theImageIsTheOneOfTheContainerFile() throws IOException {
    String container = Files.readString(EXAMPLES.resolve("Containerfile"));
    assertThat(container).contains("podman build -t " + spec.get("image") + " ");
    assertThat(container).contains("apache/spark:" + spec.get("sparkVersion") + "-");
    assertThat((String) spec.get("mainApplicationFile")).startsWith("local://");
    assertThat(container)
        .contains(" " + ((String) spec.get("mainApplicationFile")).substring("local://".length()));
    assertThat(Files.readString(EXAMPLES.resolve("executor-pod.yaml")))
        .contains("podAntiAffinity", "kubernetes.io/hostname");
  }

  /** Each jar of the Spark that the build collects with which it reads s3a://. */
  @Test
  void theImageHasWhatS3Needs() throws IOException {
    Path jars = EXAMPLES.resolve("../spark/target/jars");
    assumeTrue(Files.isDirectory(jars), "skipped: the build's Spark is not there");
    String container = Files.readString(EXAMPLES.resolve("Containerfile"));
    Pattern added =
        Pattern.compile(
            "(hadoop-aws|aws-java-sdk-|ion-java|jackson-dataformat-cbor|jmespath|wildfly).*");
    List<String> needed;
    try (Stream<Path> all = Files.list(jars)) {
      needed =
          all.map(jar -> jar.getFileName().toString())
              .filter(jar -> added.matcher(jar).matches())
              .toList();
    }
    assertThat(needed).hasSizeGreaterThan(7);
    for (String jar : needed) {
      String name = jar.replaceAll("-[0-9].*", "");
      boolean copied = container.contains("/" + name + "-*.jar");
      boolean sdk = name.startsWith("aws-java-sdk-") && container.contains("/aws-java-sdk-*.jar");
      assertThat(copied || sdk).as(jar).isTrue();
    }
  }

  private static Map<String, Object> yaml(Path file) throws IOException {
    LoaderOptions options = new LoaderOptions();
    options.setCodePointLimit(16 << 20);
    return new Yaml(new SafeConstructor(options)).load(Files.readString(file));
  }

  @SuppressWarnings("unchecked")
  private static Map<String, Object> map(Object value) {
    return (Map<String, Object>) value;
  }
}
