package io.guilomo.adapter;

import static org.assertj.core.api.Assertions.assertThat;

import io.guilomo.config.ModelConfig.Pooling;
import io.guilomo.data.Example;
import io.guilomo.data.PromptTemplate;
import io.guilomo.data.TokenBatch;
import io.guilomo.family.FrozenCopies;
import io.guilomo.family.ModelReader;
import io.guilomo.golden.GoldenFiles;
import io.guilomo.io.SafetensorsWriter;
import io.guilomo.io.StoredTensor;
import io.guilomo.io.TensorType;
import io.guilomo.kernel.Kernels;
import io.guilomo.kernel.KernelsUnderTest;
import io.guilomo.model.ModuleExperts;
import io.guilomo.model.RoutingMethod;
import io.guilomo.model.Scaling;
import io.guilomo.model.Task;
import io.guilomo.network.Backbone;
import io.guilomo.network.LoraMoeNetwork;
import io.guilomo.network.NamedParameters;
import io.guilomo.network.NetworkDefinition;
import io.guilomo.network.Stage;
import io.guilomo.network.TinyModels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.apache.hadoop.conf.Configuration;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Models and random adapters to merge. */
final class MergedCases {

  private static final Configuration CONF = new Configuration();
  private static final List<String> LABELS = List.of("no", "yes", "perhaps");

  private final Kernels kernels = KernelsUnderTest.any();
  private final Path directory;

  /**
   * @param directory for changed copies of models
   */
  MergedCases(Path directory) {
    this.directory = directory;
  }

  record Case(Adapter adapter, double[] logits) {}

  /**
   * A random adapter, and the logits of the adapted model.
   *
   * @param pooling of a classifier; null for a causal language model
   */
  Case made(Path model, Pooling pooling, List<List<Integer>> ranks) throws IOException {
    Backbone backbone = ModelReader.load(model.toString(), CONF, FrozenCopies.memory(kernels));
    kernels.finish();
    AdapterDescription description =
        new AdapterDescription(
            Adapters.plan(backbone, ranks, Scaling.Rule.ALPHA_OVER_SQRT_RANK),
            model.toString(),
            backbone.digest(),
            backbone.config().paths(),
            pooling == null ? Task.CAUSAL_LM : Task.CLASSIFICATION,
            pooling == null ? List.of() : LABELS,
            backbone.config().pooling(pooling == null ? Pooling.AUTO : pooling),
            32,
            pooling == null ? PromptTemplate.alpaca() : null);
    try (LoraMoeNetwork network =
        LoraMoeNetwork.create(
            new Adapter(description, Map.of()).definition(backbone.config(), model.toString()),
            backbone,
            kernels)) {
      TinyModels.shake(network, 3, 0.1);
      Adapter adapter =
          Adapter.of(
              description, NamedParameters.of(network.definition(), network.host().parameters()));
      return new Case(adapter, logits(network));
    }
  }

  /** Logits without adapters: new ones change nothing, and a classifier starts as the model's. */
  double[] plainLogits(Path model, Pooling pooling) throws IOException {
    Backbone backbone = ModelReader.load(model.toString(), CONF, FrozenCopies.memory(kernels));
    kernels.finish();
    NetworkDefinition definition =
        new NetworkDefinition(
            model.toString(),
            backbone.config(),
            Stage.FINE_TUNING,
            List.of(
                ModuleExperts.uniform(
                    backbone.config().linearModules().get(0), 1, 1, 1, RoutingMethod.topK(1))),
            0,
            0,
            pooling == null ? 0 : LABELS.size(),
            Pooling.AUTO,
            0);
    assertThat(definition.startsFromPretrainedHead()).isEqualTo(pooling != null);
    if (pooling != null) {
      assertThat(backbone.config().pretrainedHead().labels()).isEqualTo(LABELS);
    }
    try (LoraMoeNetwork network = LoraMoeNetwork.create(definition, backbone, kernels)) {
      return logits(network);
    }
  }

  private static double[] logits(LoraMoeNetwork network) {
    List<Double> logits = new ArrayList<>();
    for (int[] ids : List.of(new int[] {5, 9, 2, 7, 11, 4, 8, 3, 12}, new int[] {6, 10, 3})) {
      TokenBatch batch =
          TokenBatch.of(List.of(new Example(ids, new int[ids.length], new int[ids.length])));
      for (float[] row : network.logitRows(batch)) {
        for (float logit : row) {
          logits.add((double) logit);
        }
      }
    }
    return logits.stream().mapToDouble(Double::doubleValue).toArray();
  }

  static double difference(double[] found, double[] expected) {
    assertThat(found).hasSameSizeAs(expected);
    double size = 0;
    double difference = 0;
    for (int i = 0; i < found.length; i++) {
      size = Math.max(size, Math.abs(expected[i]));
      difference = Math.max(difference, Math.abs(found[i] - expected[i]));
    }
    return difference / size;
  }

  /** The same model with weights of another type, under other names; null leaves one out. */
  Path retyped(Path model, TensorType type, UnaryOperator<String> rename) throws IOException {
    Path copy = Files.createTempDirectory(directory, "model");
    Files.copy(model.resolve("config.json"), copy.resolve("config.json"));
    List<StoredTensor> tensors = new ArrayList<>();
    GoldenFiles.tensors(model.resolve("model.safetensors"))
        .forEach(
            (name, tensor) -> {
              float[] values = values(tensor);
              byte[] bytes = type.bytes(values, values.length);
              if (rename.apply(name) != null) {
                tensors.add(
                    new StoredTensor(
                        rename.apply(name), type, tensor.shape(), out -> out.write(bytes)));
              }
            });
    SafetensorsWriter.write(hadoop(copy.resolve("model.safetensors")), CONF, tensors, Map.of());
    return copy;
  }

  Path copy(Path model) throws IOException {
    Path copy = Files.createTempDirectory(directory, "model");
    for (String file : List.of("config.json", "model.safetensors")) {
      Files.copy(model.resolve(file), copy.resolve(file));
    }
    return copy;
  }

  static Path family(String name) {
    return GoldenFiles.require("families/" + name);
  }

  static float[] values(INDArray tensor) {
    return tensor.dup('c').data().asFloat();
  }

  static org.apache.hadoop.fs.Path hadoop(Path path) {
    return new org.apache.hadoop.fs.Path(path.toUri());
  }
}
