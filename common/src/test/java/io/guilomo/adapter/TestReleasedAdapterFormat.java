package io.guilomo.adapter;

import static io.guilomo.kernel.KernelArrays.host;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.guilomo.adapter.AdapterFormat.ExportedAdapter;
import io.guilomo.data.TokenBatch;
import io.guilomo.family.FrozenCopies;
import io.guilomo.family.llama.Decoder;
import io.guilomo.golden.GoldenFiles;
import io.guilomo.io.SafetensorsFile;
import io.guilomo.kernel.ArrayViews;
import io.guilomo.kernel.Kernels;
import io.guilomo.kernel.KernelsUnderTest;
import io.guilomo.model.LinearModule;
import io.guilomo.model.ModuleExperts;
import io.guilomo.model.Scaling;
import io.guilomo.network.Backbone;
import io.guilomo.network.LoraMoeNetwork;
import io.guilomo.network.NamedParameters;
import io.guilomo.network.NetworkDefinition;
import io.guilomo.network.TinyModels;
import io.guilomo.plan.AllocationPlan;
import io.guilomo.plan.ReleasedPlanFormat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.ndarray.INDArray;

class TestReleasedAdapterFormat {

  private static final Configuration CONF = new Configuration();
  private static final ReleasedAdapterFormat FORMAT = new ReleasedAdapterFormat();
  private static final List<List<Integer>> UNEQUAL =
      List.of(List.of(2, 1, 3), List.of(1, 3), List.of(3), List.of(7, 2, 1, 3));

  private final Kernels kernels = KernelsUnderTest.any();
  private final Backbone backbone = TinyModels.llama(1);
  private final Adapter adapter = Adapters.random(backbone, UNEQUAL, kernels);
  private final AllocationPlan plan = adapter.description().plan();

  @TempDir private Path directory;

  @Test
  void filesHoldTensorsAndPlan() throws IOException {
    ExportedAdapter exported = FORMAT.write(adapter, hadoop(directory), CONF);
    assertThat(exported.files())
        .extracting(org.apache.hadoop.fs.Path::getName)
        .containsExactly("README.md", "adapter_model.safetensors", "rank.json", "expert.json");
    assertThat(exported.largestRank()).isEqualTo(7);
    try (SafetensorsFile file = GoldenFiles.open(directory.resolve("adapter_model.safetensors"))) {
      String path = "base_model.model.model.layers.0.self_attn.q_proj.";
      assertThat(file.shape(path + "lora_A_2.weight")).containsExactly(3, 16);
      assertThat(file.shape(path + "lora_B_2.weight")).containsExactly(16, 3);
      assertThat(file.shape(path + "router.router.weight")).containsExactly(3, 16);
      assertThat(file.names()).hasSameSizeAs(adapter.tensors().keySet());
    }
    List<LinearModule> modules = backbone.config().linearModules();
    AllocationPlan read =
        new ReleasedPlanFormat(Decoder.PATHS)
            .read(
                Files.readString(directory.resolve("rank.json")),
                Files.readString(directory.resolve("expert.json")),
                modules,
                plan.strategy(),
                plan.form());
    assertThat(read.modules()).isEqualTo(plan.modules());
  }

  @Test
  void aSharedAIsWrittenForEachExpert() throws IOException {
    Adapter shared = Adapters.random(backbone, Adapters.sharing(adapter.description()), kernels);
    FORMAT.write(shared, hadoop(directory), CONF);
    Adapter read = ReleasedAdapters.read(directory, adapter.description());
    INDArray a = shared.tensors().get("layers.0.q_proj.A");
    assertThat(a.size(0)).isEqualTo(3);
    for (int e = 0; e < 3; e++) {
      INDArray own = read.tensors().get("layers.0.q_proj.experts." + e + ".A");
      assertThat(own.toFloatMatrix())
          .isDeepEqualTo(ArrayViews.rows(a, 0, List.of(2, 1, 3).get(e)).dup('c').toFloatMatrix());
    }
    TokenBatch batch = TinyModels.causal(2, 9, 5);
    try (LoraMoeNetwork before =
            shared.network(FrozenCopies.of(backbone, kernels), "here", kernels);
        LoraMoeNetwork after = read.network(FrozenCopies.of(backbone, kernels), "here", kernels)) {
      float[][] expected = before.logitRows(batch);
      float[][] actual = after.logitRows(batch);
      for (int i = 0; i < expected.length; i++) {
        assertThat(actual[i]).containsExactly(expected[i], within(1e-4f));
      }
    }
  }

  @Test
  void readingBackIsExactToARounding() throws IOException {
    FORMAT.write(adapter, hadoop(directory), CONF);
    Adapter read = ReleasedAdapters.read(directory, adapter.description());
    assertThat(read.tensors().keySet())
        .containsExactlyInAnyOrderElementsOf(adapter.tensors().keySet());
    adapter
        .tensors()
        .forEach(
            (name, tensor) -> {
              float[] expected = tensor.dup('c').data().asFloat();
              float[] actual = read.tensors().get(name).dup('c').data().asFloat();
              assertThat(actual).as(name).hasSameSizeAs(expected);
              for (int i = 0; i < expected.length; i++) {
                float allowed = name.endsWith(".B") ? Math.ulp(expected[i]) : 0;
                assertThat(Math.abs(actual[i] - expected[i])).as(name).isLessThanOrEqualTo(allowed);
              }
            });
    TokenBatch batch = TinyModels.causal(2, 9, 5);
    try (LoraMoeNetwork before =
            adapter.network(FrozenCopies.of(backbone, kernels), "here", kernels);
        LoraMoeNetwork after = read.network(FrozenCopies.of(backbone, kernels), "here", kernels)) {
      GoldenFiles.assertClose(
          "logits", host(kernels, after.logits(batch)), host(kernels, before.logits(batch)), 1e-6);
    }
  }

  @ParameterizedTest
  @EnumSource
  void scalingByTheLastExpertComputesTheSame(Scaling.Rule rule) throws IOException {
    Adapter adapter = Adapters.random(backbone, Adapters.plan(backbone, UNEQUAL, rule), kernels);
    FORMAT.write(adapter, hadoop(directory), CONF);
    Adapter read = ReleasedAdapters.read(directory, adapter.description());
    String b = "layers.0.q_proj.experts.0.B";
    GoldenFiles.assertClose(b, read.tensors().get(b), adapter.tensors().get(b), 1e-6);
    Map<String, INDArray> exported =
        GoldenFiles.tensors(directory.resolve("adapter_model.safetensors"));
    NetworkDefinition ours = adapter.definition(backbone.config(), "here");
    NetworkDefinition theirs =
        new NetworkDefinition(
            "here",
            backbone.config(),
            ours.stage(),
            ours.modules().stream().map(TestReleasedAdapterFormat::scaledByTheLast).toList(),
            0,
            0,
            0,
            ours.pooling(),
            0);
    TokenBatch batch = TinyModels.causal(2, 9, 5);
    try (LoraMoeNetwork expected =
            adapter.network(FrozenCopies.of(backbone, kernels), "here", kernels);
        LoraMoeNetwork released = TinyModels.network(theirs, backbone, kernels)) {
      NamedParameters parameters =
          NamedParameters.of(released.definition(), released.host().parameters());
      AdapterTensors.views(plan, false, parameters)
          .forEach((name, view) -> view.assign(exported.get(releasedName(name))));
      released.upload();
      INDArray logits = host(kernels, expected.logits(batch));
      GoldenFiles.assertClose("logits", host(kernels, released.logits(batch)), logits, 5e-6);
      AdapterTensors.views(plan, false, parameters)
          .forEach((name, view) -> view.assign(adapter.tensors().get(name)));
      released.upload();
      assertThat(GoldenFiles.relativeError(host(kernels, released.logits(batch)), logits))
          .as("error without the factor on B")
          .isGreaterThan(1e-3);
    }
  }

  private static ModuleExperts scaledByTheLast(ModuleExperts module) {
    double last = 16.0 / module.ranks().get(module.experts() - 1);
    return new ModuleExperts(
        module.module(),
        module.ranks(),
        Collections.nCopies(module.experts(), last),
        module.routing());
  }

  private static String releasedName(String name) {
    return "base_model.model.model."
        + name.replaceFirst("(?=[qkvo]_proj)", "self_attn.")
            .replaceFirst("(?=(?:gate|up|down)_proj)", "mlp.")
            .replaceFirst("experts\\.(\\d+)\\.([AB])$", "lora_$2_$1.weight")
            .replaceFirst("router$", "router.router.weight");
  }

  @Test
  void classifiersAreRefused() {
    Adapter encoders = Adapters.random(TinyModels.bert(1), List.of(List.of(2, 1)), kernels);
    assertThatThrownBy(() -> FORMAT.write(encoders, hadoop(directory), CONF))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "Cannot use the released format for task classification: the released code has no"
                + " classifier");
    assertThat(directory).isEmptyDirectory();
  }

  @Test
  void aFileIsNoDirectoryToExportTo() throws IOException {
    Path file = Files.createFile(directory.resolve("file"));
    assertThatThrownBy(() -> FORMAT.write(adapter, hadoop(file), CONF))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("Cannot export to ")
        .hasMessageEndingWith("/file: it is a file");
  }

  private static org.apache.hadoop.fs.Path hadoop(Path path) {
    return new org.apache.hadoop.fs.Path(path.toUri());
  }
}
