package io.guilomo.spark.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.guilomo.adapter.Adapter;
import io.guilomo.adapter.AdapterDirectory;
import io.guilomo.adapter.Adapters;
import io.guilomo.family.ModelReader;
import io.guilomo.golden.GoldenFiles;
import io.guilomo.kernel.KernelSelection;
import io.guilomo.network.Backbone;
import io.guilomo.network.TinyModels;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TestExportCommand {

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  @TempDir private Path directory;
  private Path in;

  @BeforeEach
  void nameTheAdapter() {
    in = directory.resolve("in");
  }

  @Test
  void theReleasedFormatIsWritten() throws IOException {
    save(TinyModels.llama(1), List.of(List.of(3, 1), List.of(2)));
    assertThat(export("--format", "released")).isZero();
    assertThat(text(out))
        .isEqualTo(
            written("README.md")
                + written("adapter_model.safetensors")
                + written("rank.json")
                + written("expert.json"));
    assertThat(text(err)).isEmpty();
    assertThat(GoldenFiles.tensors(directory.resolve("out/adapter_model.safetensors")))
        .containsKey("base_model.model.model.layers.1.mlp.up_proj.router.router.weight");
    assertThat(GoldenFiles.parse(directory.resolve("out/expert.json")))
        .hasSize(14)
        .allMatch(experts -> experts.asInt() == 1 || experts.asInt() == 2);
  }

  @Test
  void aCopyIsTheSameAdapter() throws IOException {
    save(TinyModels.bert(1), List.of(List.of(3, 1), List.of(5)));
    for (int time = 0; time < 2; time++) {
      assertThat(export("--format", "guilomo")).isZero();
    }
    assertThat(text(out))
        .isEqualTo(
            (written("README.md") + written("adapter.safetensors") + written("manifest.json"))
                .repeat(2));
    for (String file : List.of("adapter.safetensors", "manifest.json")) {
      assertThat(directory.resolve("out").resolve(file)).hasSameBinaryContentAs(in.resolve(file));
    }
  }

  @Test
  void thePeftFormatIsWrittenWithTheLargestRank() throws IOException {
    save(TinyModels.bert(1), List.of(List.of(3), List.of(5)));
    assertThat(export("--format", "peft")).isZero();
    String files =
        written("README.md")
            + written("adapter_model.safetensors")
            + written("adapter_config.json");
    assertThat(text(out)).isEqualTo(files + "largest rank 5\n");
    out.reset();
    assertThat(export("--format", "PEFT", "--pad-rank", "8")).isZero();
    assertThat(text(out)).isEqualTo(files + "largest rank 8\n");
    assertThat(GoldenFiles.parse(directory.resolve("out/adapter_config.json")).get("r").asInt())
        .isEqualTo(8);
    assertThat(export("--format", "peft", "--pad-rank", "4")).isEqualTo(2);
    assertThat(text(err)).isEqualTo("error: Cannot pad to rank 4: layer 0 key has rank 5\n");
  }

  @Test
  void aCheckpointIsMergedWhereverItsModelIsNow() throws IOException {
    Path model = GoldenFiles.require("families/llama_gqa_llama3");
    Backbone backbone = ModelReader.load(model.toString(), new Configuration());
    save(backbone, List.of(List.of(3), List.of(5)));
    assertThat(export("--format", "merged")).isEqualTo(2);
    assertThat(text(err))
        .isEqualTo(
            "error: Cannot merge: the model models/tiny is not there; say with --model where it is now\n");
    assertThat(
            export("--format", "merged", "--model", model.toString(), "--max-shard-size", "20kB"))
        .isZero();
    assertThat(text(out))
        .startsWith(written("README.md") + written("model-00001-of-00006.safetensors"))
        .contains(written("model.safetensors.index.json"))
        .endsWith(written("config.json"));
    assertThat(ModelReader.check(directory.resolve("out").toString(), new Configuration()).config())
        .isEqualTo(backbone.config());
  }

  @Test
  void theCardNamesTheRun() throws IOException {
    in = directory.resolve("output/runs/weekly-7/adapter");
    save(TinyModels.bert(1), List.of(List.of(3, 1), List.of(5)));
    assertThat(export("--format", "guilomo")).isZero();
    assertThat(directory.resolve("out/README.md"))
        .content()
        .contains("# weekly-7, adapted with GuiLoMo\n", "| run | `weekly-7` |\n");
    // What was measured cannot be read: no reason to fail.
    Path table = directory.resolve("output/tables/runs/run_date=2026-01-05/run_id=weekly-7");
    Files.createDirectories(table);
    Files.writeString(table.resolve("evaluate-0.parquet"), "not Parquet");
    assertThat(export("--format", "guilomo")).isZero();
    assertThat(text(err)).startsWith("warning: the model card is incomplete: ");
  }

  @Test
  void whatCannotBeExportedEndsWithTwo() throws IOException {
    assertThat(export("--format", "released")).isEqualTo(2);
    assertThat(text(err))
        .startsWith("error: Cannot read the adapter ")
        .endsWith("it has no manifest.json, so it is not an adapter or not a complete one\n");
    err.reset();
    save(TinyModels.llama(1), List.of(List.of(3, 1)));
    assertThat(export("--format", "peft")).isEqualTo(2);
    assertThat(text(err))
        .isEqualTo(
            "error: Cannot export to PEFT: layer 0 q_proj has 2 experts, and there is room for one;"
                + " allocate with lora-moe.max-experts=1 and lora-moe.top-k=1, or load the adapter"
                + " with deploy/python\n");
    err.reset();
    assertThat(export("--format", "released", "--pad-rank", "8")).isEqualTo(2);
    assertThat(text(err))
        .isEqualTo("error: Cannot pad to rank 8: format released keeps the rank of each expert\n");
    err.reset();
    assertThat(export("--format", "peft", "--max-shard-size", "1GB")).isEqualTo(2);
    assertThat(text(err))
        .isEqualTo(
            "error: Cannot use --max-shard-size with format peft: only merged writes the model\n");
    err.reset();
    assertThat(export("--format", "merged", "--max-shard-size", "big")).isEqualTo(2);
    assertThat(text(err))
        .isEqualTo(
            "error: Cannot use the size big: expected a number with a unit, such as 500MB, 5GB or 2GiB\n");
    err.reset();
    assertThat(export("--format", "onnx")).isEqualTo(2);
    assertThat(text(err)).startsWith("error: Cannot read the command line: ").hasLineCount(1);
    assertThat(text(out)).isEmpty();
  }

  private void save(Backbone backbone, List<List<Integer>> ranks) throws IOException {
    Adapter adapter = Adapters.random(backbone, ranks, KernelSelection.best());
    new AdapterDirectory(new org.apache.hadoop.fs.Path(in.toUri()), new Configuration())
        .write(adapter);
  }

  private String written(String name) {
    return directory.resolve("out").resolve(name) + "\n";
  }

  private int export(String... options) {
    List<String> args = new ArrayList<>(List.of("export", "--adapter"));
    args.addAll(List.of(in.toString(), "--output"));
    args.add(directory.resolve("out").toString());
    args.addAll(Arrays.asList(options));
    Actions none = new Actions(null, null, null, null, null, null, null, null, null);
    return Main.run(
        args.toArray(String[]::new),
        none,
        builder -> {
          throw new AssertionError("Spark must not start");
        },
        stream(out),
        stream(err),
        false);
  }

  private static PrintStream stream(ByteArrayOutputStream bytes) {
    return new PrintStream(bytes, true, StandardCharsets.UTF_8);
  }

  private static String text(ByteArrayOutputStream bytes) {
    return bytes.toString(StandardCharsets.UTF_8);
  }
}
