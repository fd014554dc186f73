package io.guilomo.spark.evaluate;

import static org.assertj.core.api.Assertions.assertThat;

import io.guilomo.adapter.Adapter;
import io.guilomo.adapter.AdapterDirectory;
import io.guilomo.adapter.AdapterFormat;
import io.guilomo.adapter.GuilomoFormat;
import io.guilomo.adapter.PeftFormat;
import io.guilomo.config.GuilomoConfig;
import io.guilomo.family.Families;
import io.guilomo.golden.GoldenFiles;
import io.guilomo.model.LinearModule;
import io.guilomo.model.Task;
import io.guilomo.network.BackboneConfig;
import io.guilomo.spark.SharedSparkSession;
import io.guilomo.spark.TinyModel;
import io.guilomo.spark.finetune.FinetuneJob;
import io.guilomo.spark.input.JobContext;
import io.guilomo.spark.run.Messages;
import io.guilomo.spark.search.AllocateJob;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * All jobs, one after the other, on a tiny checkpoint of every family: nothing but the model's path
 * tells which one it is.
 */
class TestEveryFamily {

  private static final Configuration CONF = new Configuration();

  /** Room for a prompt and its response. */
  private static final int POSITIONS = 36;

  @TempDir private Path directory;
  private final List<String> messages = new ArrayList<>();

  /** A checkpoint of each family, and a decoder and an encoder with a classification head. */
  static Stream<Path> checkpoints() throws IOException {
    Map<String, Path> first = new TreeMap<>();
    for (Path folder : GoldenFiles.list("families", "*")) {
      if (Files.exists(folder.resolve("config.json"))) {
        BackboneConfig config = Families.config(folder.toString(), CONF);
        if (config.maxPositions() >= POSITIONS) {
          String headed = config.paths().causal() ? "decoder" : "encoder";
          first.putIfAbsent(
              config.pretrainedHead() == null ? config.family() : "head of " + headed, folder);
        }
      }
    }
    return first.values().stream();
  }

  @ParameterizedTest
  @MethodSource("checkpoints")
  void runsAllJobs(Path checkpoint) throws IOException {
    Path model = TinyModel.of(checkpoint, directory.resolve("model"));
    BackboneConfig backbone = Families.config(model.toString(), CONF);
    boolean classifies =
        backbone.pretrainedHead() != null || !backbone.tasks().contains(Task.CAUSAL_LM);
    writeRecords(classifies);
    GuilomoConfig config = config(model, classifies);

    GuilomoConfig learned = config.with(List.of("run.id=learned"));
    AllocateJob.Result allocated = new AllocateJob(context(learned), false).run();
    assertThat(allocated.plan().modules().stream().map(planned -> planned.module().name()))
        .containsOnlyElementsOf(
            backbone.linearModules().stream().map(LinearModule::name).distinct().toList());
    FinetuneJob.Result tuned = new FinetuneJob(context(learned), false).run();
    assertThat(tuned.steps()).isEqualTo(2);
    assertThat(new EvaluateJob(context(learned)).run().evaluations())
        .isNotEmpty()
        .allMatch(row -> Double.isFinite(row.value()));
    assertThat(new PredictJob(context(learned)).run().rows()).isEqualTo(8);
    Adapter adapter = adapter(tuned);
    export(new GuilomoFormat(), adapter);
    Adapter copy = new AdapterDirectory(exported(), CONF).read();
    assertThat(copy.description())
        .usingRecursiveComparison()
        .withEqualsForType((one, other) -> one.pattern().equals(other.pattern()), Pattern.class)
        .isEqualTo(adapter.description());

    GuilomoConfig single = config.with(List.of("run.id=single", "allocation.strategy=single"));
    new AllocateJob(context(single), false).run();
    Adapter one = adapter(new FinetuneJob(context(single), false).run());
    export(PeftFormat.unpadded(), one);
    Map<String, INDArray> tensors =
        GoldenFiles.tensors(directory.resolve("exported/adapter_model.safetensors"));
    for (LinearModule module : backbone.linearModules()) {
      String path = backbone.paths().inHead(module);
      assertThat(tensors).containsKey("base_model.model." + path + ".lora_A.weight");
      // What PEFT wraps is a module of the checkpoint.
      assertThat(names(checkpoint)).anyMatch(name -> (path + ".weight").endsWith(name));
    }
    assertThat(tensors.containsKey("base_model.model." + backbone.paths().classifier() + ".weight"))
        .isEqualTo(classifies);
  }

  private void writeRecords(boolean classifies) throws IOException {
    writeRecords("train.jsonl", 20, classifies);
    writeRecords("validation.jsonl", 30, classifies);
  }

  private void writeRecords(String file, int first, boolean classifies) throws IOException {
    List<String> records = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      String words = "w%d w%d w%d".formatted(5 + i, first + i, 40 + i);
      records.add(
          classifies
              ? "{\"sentence\":\"%s\",\"label\":\"l%d\"}".formatted(words, i % 3)
              : "{\"instruction\":\"%s\",\"output\":\"w%d w9\"}".formatted(words, 10 + i));
    }
    Files.write(directory.resolve(file), records);
  }

  private GuilomoConfig config(Path model, boolean classifies) {
    Path validation = directory.resolve("validation.jsonl");
    return GuilomoConfig.load(
        null,
        List.of(
            "output.dir=" + directory.resolve("out"),
            "model.path=" + model,
            "model.max-length=32",
            "data.task=" + (classifies ? Task.CLASSIFICATION : Task.CAUSAL_LM),
            "data.train=" + directory.resolve("train.jsonl"),
            "data.validation=" + validation,
            "evaluate.data=" + validation,
            "evaluate.bootstrap-samples=10",
            "generation.max-new-tokens=3",
            "lora-moe.max-experts=2",
            "lora-moe.max-rank=2",
            "search.epochs=1",
            "search.batch-size=4",
            "finetune.steps=2",
            "finetune.batch-size=4",
            "checkpoint.every-rounds=0",
            "cluster.workers=1"));
  }

  private JobContext context(GuilomoConfig config) {
    return new JobContext(SharedSparkSession.session(), config, new Messages(messages));
  }

  private static Adapter adapter(FinetuneJob.Result result) throws IOException {
    return new AdapterDirectory(new org.apache.hadoop.fs.Path(result.adapter()), CONF).read();
  }

  private void export(AdapterFormat format, Adapter adapter) throws IOException {
    format.write(adapter, exported(), CONF);
  }

  private org.apache.hadoop.fs.Path exported() {
    return new org.apache.hadoop.fs.Path(directory.resolve("exported").toUri());
  }

  private static List<String> names(Path checkpoint) {
    return List.copyOf(GoldenFiles.tensors(checkpoint.resolve("model.safetensors")).keySet());
  }
}
