package io.guilomo.spark.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.guilomo.golden.GoldenFiles;
import io.guilomo.model.LinearModule;
import io.guilomo.model.RoutingMethod;
import io.guilomo.plan.AllocationPlanParser;
import io.guilomo.plan.UniformAllocation;
import io.guilomo.spark.SharedSparkSession;
import io.guilomo.spark.evaluate.EvaluateJob;
import io.guilomo.spark.finetune.FinetuneJob;
import io.guilomo.spark.input.JobContext;
import io.guilomo.spark.search.AllocateJob;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.commons.io.FileUtils;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What users get wrong, and the one line that they are told. */
class TestUserMistakes {

  @TempDir private Path directory;

  @BeforeEach
  void files() throws IOException {
    Path model = GoldenFiles.models().resolve("stories260K-hf");
    for (String broken : List.of("good", "empty", "architecture", "pickle", "cut", "shape")) {
      FileUtils.copyDirectory(model.toFile(), directory.resolve(broken).toFile());
    }
    Files.delete(directory.resolve("empty/config.json"));
    edit("architecture/config.json", "LlamaForCausalLM", "GPT2LMHeadModel");
    Files.move(
        directory.resolve("pickle/model.safetensors"),
        directory.resolve("pickle/pytorch_model.bin"));
    Path weights = directory.resolve("cut/model.safetensors");
    Files.write(weights, Arrays.copyOf(Files.readAllBytes(weights), 9_000));
    edit("shape/config.json", "\"vocab_size\": 512", "\"vocab_size\": 513");
    StringBuilder records = new StringBuilder();
    for (int i = 0; i < 40; i++) {
      records.append("{\"instruction\":\"Count to %d\",\"output\":\"%d\"}\n".formatted(i, i));
    }
    Files.writeString(directory.resolve("train.jsonl"), records);
    Files.writeString(directory.resolve("broken.jsonl"), records.toString().replace("{", "["));
    Files.createFile(directory.resolve("none.jsonl"));
    Files.createFile(directory.resolve("file"));
    Files.writeString(
        directory.resolve("other.json"), "{\"format-version\":1,\"strategy\":\"file\"}");
    plan("shallow.json", 64);
    plan("wide.json", 128);
  }

  /** A plan for the first layer's q_proj. */
  private void plan(String name, int outFeatures) throws IOException {
    LinearModule module = new LinearModule(0, "q_proj", 64, outFeatures);
    Files.writeString(
        directory.resolve(name),
        AllocationPlanParser.toJson(
            new UniformAllocation(2, 2, RoutingMethod.topK(2), 16).plan(List.of(module))));
  }

  private void edit(String name, String from, String to) throws IOException {
    Path file = directory.resolve(name);
    assertThat(file).content().contains(from);
    Files.writeString(file, Files.readString(file).replace(from, to));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          allocate | search.epoch=2 | Cannot use configuration key guilomo.search.epoch: unknown; did you mean guilomo.search.epochs?
          allocate | search.epochs=two | Cannot use guilomo.search.epochs = two: must be auto or a number above 0
          allocate | search.epochs | Cannot use --set search.epochs: expected path=value
          allocate | search.learning-rate=-1 | Cannot use guilomo.search.learning-rate = -1: must be above 0
          allocate | lora-moe.max-experts=1 | Cannot use guilomo.lora-moe.top-k = 2: must be at most max-experts, 1
          allocate | lora-moe.target-modules=[query] | Cannot put experts on query: the model's modules are [down_proj, gate_proj, k_proj, o_proj, q_proj, up_proj, v_proj]
          allocate | allocation.strategy=best | Cannot use allocation strategy best: expected one of guilomo, uniform, mola-2-4-6-8, mola-8-6-4-2, mola-8-2-2-8, mola-5-5-5-5, hilo, alphalora, usage, svd, marginal, fisher, random, single, file
          allocate | model.path= | Cannot run without guilomo.model.path: set it in the configuration file or with --set
          allocate | model.path=DIR/nowhere | Cannot load DIR/nowhere: there is no such directory
          allocate | model.path=DIR/empty | Cannot load DIR/empty: it has no config.json, which tells the architecture
          allocate | model.path=DIR/architecture | Cannot load DIR/architecture: its architecture is GPT2LMHeadModel, which is of none of the families …
          allocate | model.path=DIR/pickle | Cannot load DIR/pickle: it contains only pickle files (pytorch_model.bin), which are never read; convert them with python3 …
          allocate | model.path=DIR/cut | Cannot read DIR/cut/model.safetensors: tensor model.embed_tokens.weight is at bytes 0 to 131072 of 4136 bytes of data
          allocate | model.path=DIR/shape | Cannot load DIR/shape: tensor model.embed_tokens.weight has shape [512, 64], expected [513, 64]
          allocate | data.train=DIR/missing.jsonl | Cannot read DIR/missing.jsonl: there is no such file
          allocate | data.train=DIR/none.jsonl | Cannot read DIR/none.jsonl: it contains no records
          allocate | data.train=DIR/broken.jsonl | Cannot read DIR/broken.jsonl: 40 of 40 records are bad (limit 0): first: DIR/broken.jsonl:1: malformed JSON …
          allocate | data.columns.instruction=prompt | Cannot read DIR/train.jsonl: 40 of 40 records are bad (limit 0): first: DIR/train.jsonl:1: no field prompt; fields are instruction, output: {"instruction":"Count to 0","output":"0"}
          allocate | data.task=translation | Cannot use guilomo.data.task = translation: must be one of causal-lm, multiple-choice, classification
          allocate | data.task=classification | Cannot read DIR/train.jsonl: 40 of 40 records are bad (limit 0): first: DIR/train.jsonl:1: …
          allocate | data.format=xml | Cannot use guilomo.data.format = xml: must be one of auto, json, parquet, csv, tsv
          allocate | output.dir=DIR/file | Cannot write into guilomo.output.dir = DIR/file: it is a file
          allocate | cluster.device=gpu | Cannot compute with cluster.device=gpu: there is no NVIDIA driver (libcuda.so.1) on this machine
          allocate | model.max-length=24 | Cannot shard 0 training records over 2 workers: each needs at least one; 40 others have nothing left to learn from after truncation to model.max-length
          allocate | cluster.workers=60 | Cannot shard 26 training records over 60 workers: each needs at least one
          allocate | run.id=a/b | Cannot use guilomo.run.id = a/b: must be at most 128 letters, digits, '.', '_' and '-', the first a letter or digit
          allocate | search.start-plan=DIR/wide.json | Cannot start the search from the plan DIR/wide.json: it has experts for layer 0 q_proj (64×128), which the search does not target
          finetune | run.id=nobody | Cannot read the plan DIR/output/runs/nobody/plan.json: there is no such file; run allocate first, or name a plan with finetune.plan, allocation.plan or search.start-plan
          finetune | finetune.plan=DIR/other.json | Cannot read the plan DIR/other.json: key 'seed' is missing
          finetune | finetune.plan=DIR/shallow.json | Cannot fine-tune DIR/good with a plan made for fewer layers: the model has layer 1 q_proj, of which the plan says nothing
          finetune | finetune.plan=DIR/wide.json | Cannot fine-tune DIR/good with a plan made for layer 0 q_proj of 64×128 features: the model has no such module
          evaluate | run.id=nobody | Cannot read the adapter DIR/output/runs/nobody/adapter: it has no manifest.json, so it is not an adapter or not a complete one
          """)
  void isToldInOneLine(String command, String setting, String expected) {
    List<String> lines = mistake(command, setting.replace("DIR", directory.toString()));
    String error = "error: " + expected.replace("DIR", directory.toString());
    String told = lines.get(lines.size() - 1);
    if (error.endsWith(" …")) {
      // The rest is another library's, or long.
      assertThat(told).startsWith(error.substring(0, error.length() - 2));
    } else {
      assertThat(told).isEqualTo(error);
    }
    assertThat(lines).filteredOn(line -> line.startsWith("error:")).hasSize(1);
    assertThat(lines).noneMatch(line -> line.startsWith("\tat ") || line.contains("Exception"));
  }

  private List<String> mistake(String command, String setting) {
    List<String> args = new ArrayList<>(List.of(command));
    for (String given :
        List.of(
            "model.path=" + directory.resolve("good"),
            "model.max-length=256",
            "data.train=" + directory.resolve("train.jsonl"),
            "evaluate.data=" + directory.resolve("train.jsonl"),
            "output.dir=" + directory.resolve("output"),
            "search.batch-size=4",
            setting)) {
      args.addAll(List.of("--set", given));
    }
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    int status =
        Main.run(
            args.toArray(String[]::new),
            new Actions(
                (s, config, progress, o) ->
                    new AllocateJob(
                            new JobContext(SharedSparkSession.session(), config, progress), true)
                        .run(),
                (s, config, progress, o) ->
                    new FinetuneJob(
                            new JobContext(SharedSparkSession.session(), config, progress), true)
                        .run(),
                (s, config, progress, o) ->
                    new EvaluateJob(new JobContext(SharedSparkSession.session(), config, progress))
                        .run(),
                null,
                null,
                null,
                null,
                null,
                null),
            builder -> null,
            new PrintStream(out, true, StandardCharsets.UTF_8),
            new PrintStream(err, true, StandardCharsets.UTF_8),
            false);
    assertThat(status).isEqualTo(2);
    assertThat(out.toString(StandardCharsets.UTF_8)).isEmpty();
    return err.toString(StandardCharsets.UTF_8).lines().toList();
  }
}
