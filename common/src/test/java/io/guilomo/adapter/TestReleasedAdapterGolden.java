package io.guilomo.adapter;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.guilomo.data.TokenBatch;
import io.guilomo.family.FrozenCopies;
import io.guilomo.golden.GoldenFiles;
import io.guilomo.io.SafetensorsFile;
import io.guilomo.io.SafetensorsWriter;
import io.guilomo.kernel.KernelArrays;
import io.guilomo.kernel.KernelsUnderTest;
import io.guilomo.model.ExpertForm;
import io.guilomo.model.ModulePaths;
import io.guilomo.model.RoutingMethod;
import io.guilomo.model.Scaling;
import io.guilomo.network.Backbone;
import io.guilomo.network.GoldenNetwork;
import io.guilomo.network.LoraMoeNetwork;
import io.guilomo.plan.AllocationPlan;
import io.guilomo.plan.ReleasedPlanFormat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Adapters that the released code has saved. */
class TestReleasedAdapterGolden {

  private static final Configuration CONF = new Configuration();
  private static final String ADAPTER = ".adapter";
  private static final String FILE = "adapter_model.safetensors";
  private static final int ROWS = 4;

  @TempDir private Path directory;

  private Path saved;
  private Path run;
  private ReleasedAdapterFormat format;
  private Map<String, INDArray> golden;
  private Backbone backbone;
  private AdapterDescription description;

  static Stream<Path> adapters() {
    return GoldenFiles.list("stage2", "*" + ADAPTER + ".*.safetensors").stream();
  }

  private void read(Path adapter) {
    saved = adapter;
    run = adapter.resolveSibling(adapter.getFileName().toString().replace(ADAPTER, ""));
    KernelsUnderTest.any();
    golden = GoldenFiles.tensors(run);
    JsonNode json = GoldenFiles.json(run);
    ModulePaths paths = GoldenNetwork.paths(json);
    format = new ReleasedAdapterFormat();
    backbone = GoldenNetwork.backbone(json, golden, "init/");
    JsonNode ranks = json.get("rank_json");
    String first = "model.layers.0.self_attn.q_proj";
    int last = json.get("expert_json").get(first).asInt() - 1;
    double alpha =
        json.get("scaling").get("base_model.model." + first).asDouble()
            * ranks.get(first + ".expertlora_E_vector_" + last).asInt();
    AllocationPlan plan =
        new ReleasedPlanFormat(paths)
            .read(
                ranks.toString(),
                json.get("expert_json").toString(),
                backbone.config().linearModules(),
                "file",
                new ExpertForm(
                    RoutingMethod.topK(GoldenNetwork.topK(json)), Scaling.overRank(alpha)));
    description = Adapters.description(backbone, paths, plan);
  }

  @ParameterizedTest
  @MethodSource("adapters")
  void namesAndShapesAreThose(Path file) throws IOException {
    read(file);
    Files.copy(saved, directory.resolve(FILE));
    Adapter adapter = ReleasedAdapters.read(directory, description);
    Path written = directory.resolve("written");
    format.write(adapter, hadoop(written), CONF);
    assertThat(shapes(written.resolve(FILE))).isEqualTo(shapes(saved));
    Map<String, INDArray> expected = GoldenFiles.tensors(saved);
    double largest = 0;
    for (Map.Entry<String, INDArray> entry :
        GoldenFiles.tensors(written.resolve(FILE)).entrySet()) {
      String name = entry.getKey();
      largest =
          Math.max(
              largest, GoldenFiles.assertClose(name, entry.getValue(), expected.get(name), 1e-7));
    }
    GoldenFiles.report("stage2/" + saved.getFileName() + " read and written", largest);
  }

  @ParameterizedTest
  @MethodSource("adapters")
  void aReadAdapterComputesWhatTheReleasedCodeComputes(Path file) throws IOException {
    read(file);
    Map<String, INDArray> tensors = new LinkedHashMap<>();
    for (String name : shapes(saved).keySet()) {
      String live = name.replaceFirst("lora_([AB])_(\\d+)", "lora_$1.default_$2");
      tensors.put(name, golden.get("init/" + live));
    }
    SafetensorsWriter.write(hadoop(directory.resolve(FILE)), CONF, tensors, Map.of());
    Adapter adapter = ReleasedAdapters.read(directory, description);
    TokenBatch batch = GoldenNetwork.batch(GoldenFiles.longs(run), "batch.0.", ROWS);
    INDArray expected = golden.get("fwd.logits");
    try (LoraMoeNetwork network =
        adapter.network(
            FrozenCopies.of(backbone, KernelsUnderTest.any()),
            "memory:golden",
            KernelsUnderTest.any())) {
      INDArray logits =
          KernelArrays.host(KernelsUnderTest.any(), network.logits(batch))
              .reshape(expected.shape());
      GoldenFiles.report(
          "stage2/" + saved.getFileName(),
          GoldenFiles.assertClose("fwd.logits", logits, expected, 6e-5));
    }
  }

  private static Map<String, List<Long>> shapes(Path path) throws IOException {
    try (SafetensorsFile file = GoldenFiles.open(path)) {
      Map<String, List<Long>> shapes = new TreeMap<>();
      for (String name : file.names()) {
        shapes.put(name, LongStream.of(file.shape(name)).boxed().toList());
      }
      return shapes;
    }
  }

  private static org.apache.hadoop.fs.Path hadoop(Path path) {
    return new org.apache.hadoop.fs.Path(path.toUri());
  }
}
