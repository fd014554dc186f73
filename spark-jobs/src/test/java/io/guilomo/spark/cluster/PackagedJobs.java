package io.guilomo.spark.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.spark.SharedSparkSession;
import io.guilomo.spark.input.JobContext;
import io.guilomo.spark.run.Messages;
import io.guilomo.spark.search.AllocateJob;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;

/**
 * The packaged jar on one master, submitted by the script that users submit it by. Its jobs learn
 * from short sentences with a small encoder.
 */
class PackagedJobs {

  private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();

  private static final Map<String, List<String>> WORDS =
      Map.of(
          "animal",
              List.of(
                  "ant", "badger", "cat", "cow", "crow", "deer", "dog", "duck", "eagle", "fox",
                  "frog", "goat", "hare", "hen", "horse", "lion", "mole", "mouse", "otter", "owl",
                  "pig", "rat", "seal", "sheep", "snail", "swan", "toad", "trout", "whale", "wolf"),
          "tool",
              List.of(
                  "anvil",
                  "awl",
                  "axe",
                  "broom",
                  "chisel",
                  "clamp",
                  "crowbar",
                  "drill",
                  "file",
                  "hammer",
                  "hoe",
                  "jack",
                  "knife",
                  "ladder",
                  "lathe",
                  "lever",
                  "mallet",
                  "needle",
                  "plane",
                  "pliers",
                  "pump",
                  "rake",
                  "saw",
                  "scissors",
                  "screwdriver",
                  "shovel",
                  "sickle",
                  "spade",
                  "trowel",
                  "wrench"));

  private final Path directory;
  private final String master;
  private final List<String> spark;
  private final Map<String, String> environment;

  /** A program that ended. */
  record Ended(int status, String out, String err) {}

  /** A program that runs, with what it has written to standard error so far. */
  record Running(Process process, Path err) {

    /** Waits until a file is there; fails where the program ends before. */
    void await(Path file) throws IOException, InterruptedException {
      while (!Files.exists(file)) {
        assertThat(process.isAlive()).as(Files.readString(err)).isTrue();
        process.waitFor(50, TimeUnit.MILLISECONDS);
      }
    }

    Ended end() throws IOException, InterruptedException {
      String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      return new Ended(process.waitFor(), out, Files.readString(err));
    }
  }

  /**
   * Skips the running test where there is no jar or no model.
   *
   * @param directory where everything is written
   * @param spark options of every job for {@code spark-submit}
   */
  PackagedJobs(Path directory, String master, List<String> spark) throws IOException {
    this(directory, master, spark, Map.of());
  }

  /**
   * Skips the running test where there is no jar or no model.
   *
   * @param directory where everything is written
   * @param spark options of every job for {@code spark-submit}
   * @param environment of every job
   */
  PackagedJobs(Path directory, String master, List<String> spark, Map<String, String> environment)
      throws IOException {
    Assumptions.assumeTrue(
        Files.isRegularFile(Path.of(System.getProperty("guilomo.jar", ""))), "no packaged jar");
    Assumptions.assumeTrue(
        Files.isRegularFile(
            Path.of(System.getProperty("guilomo.minilm", ""), "all-minilm-l6-v2.onnx")),
        "system property guilomo.minilm names no model");
    this.directory = directory;
    this.master = master;
    this.spark = spark;
    this.environment = environment;
    Files.write(directory.resolve("train.jsonl"), sentences("I saw a %s yesterday.", 30));
    Files.write(directory.resolve("validation.jsonl"), sentences("This %s is heavy.", 10));
  }

  /** Prints how long something took with a fault. */
  static void report(String fault, long start) {
    System.out.printf("fault: %s: %.1f s%n", fault, (System.nanoTime() - start) / 1e9);
  }

  /** Where an allocation with seed 42 leaves its checkpoint after so many rounds. */
  Path checkpoint(String runId, int round) {
    return output()
        .resolve("runs/%s/checkpoints/allocate/seed-42/round-%08d".formatted(runId, round));
  }

  /** Where the runs and tables of the jobs are. */
  Path output() {
    return directory.resolve("output");
  }

  Ended run(String job, String runId, String... overrides)
      throws IOException, InterruptedException {
    return submit(job, runId, overrides).end();
  }

  /** Submits a job. */
  Running submit(String job, String runId, String... overrides) throws IOException {
    return submit(List.of(), job, runId, overrides);
  }

  /**
   * Submits a job.
   *
   * @param options for {@code spark-submit}, of this job alone
   */
  Running submit(List<String> options, String job, String runId, String... overrides)
      throws IOException {
    List<String> arguments = new ArrayList<>(List.of(job));
    arguments.addAll(options);
    Stream.concat(
            Stream.concat(
                Stream.of("run.id=" + runId, "output.dir=" + output()), settings().stream()),
            Stream.of(overrides))
        .forEach(setting -> arguments.addAll(List.of("--set", setting)));
    return command(runId, arguments);
  }

  /** Allocates in two threads of this JVM, into the same tables. */
  void allocateInThreads(String runId, String... overrides) throws IOException {
    assertThat(SharedSparkSession.session().sparkContext().master()).isEqualTo("local[2]");
    List<String> all = new ArrayList<>(List.of("run.id=" + runId, "output.dir=" + output()));
    all.addAll(settings());
    all.addAll(List.of(overrides));
    new AllocateJob(
            new JobContext(
                SharedSparkSession.session(), GuilomoConfig.load(null, all), new Messages()),
            true)
        .run();
  }

  /** Submits a command with arguments of its own. */
  Running command(String name, List<String> arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of("deploy/guilomo"));
    command.addAll(arguments);
    command.addAll(List.of("--master", master, "--executor-memory", "1g"));
    command.addAll(spark);
    return start(name, command.toArray(String[]::new));
  }

  /** Where files can be put. */
  interface Storage {

    /**
     * @param path without a slash at its beginning
     */
    void put(Path file, String path) throws IOException, InterruptedException;

    /** Where jobs find what was put there. */
    String uri(String path);
  }

  /** Puts model and data where {@link #elsewhere} says that they are. */
  void upload(Storage storage) throws IOException, InterruptedException {
    try (DirectoryStream<Path> model =
        Files.newDirectoryStream(Path.of(System.getProperty("guilomo.minilm")))) {
      for (Path file : model) {
        storage.put(file, "model/" + file.getFileName());
      }
    }
    for (String file : List.of("train.jsonl", "validation.jsonl")) {
      storage.put(directory.resolve(file), file);
    }
  }

  /** Settings of jobs whose model, data and output are not files of this machine. */
  static List<String> elsewhere(Storage storage) {
    return List.of(
        "model.path=" + storage.uri("model"),
        "data.train=" + storage.uri("train.jsonl"),
        "data.validation=" + storage.uri("validation.jsonl"),
        "evaluate.data=" + storage.uri("validation.jsonl"),
        "output.dir=" + storage.uri("output"));
  }

  /** A configuration of a small task, without run and output. */
  List<String> settings() {
    return List.of(
        "model.path=" + System.getProperty("guilomo.minilm"),
        "model.max-length=16",
        "data.task=classification",
        "data.train=" + directory.resolve("train.jsonl"),
        "data.validation=" + directory.resolve("validation.jsonl"),
        "lora-moe.target-modules=[query,value]",
        "lora-moe.max-experts=3",
        "lora-moe.max-rank=2",
        "search.epochs=1",
        "search.batch-size=8",
        "search.estimator=straight-through",
        "search.gsv-learning-rate=0.1",
        "finetune.steps=4",
        "finetune.batch-size=8",
        "evaluate.data=" + directory.resolve("validation.jsonl"),
        "cluster.workers=2",
        "cluster.averaging-frequency=1");
  }

  private static List<String> sentences(String pattern, int words) {
    List<String> lines = new ArrayList<>();
    WORDS.forEach(
        (label, all) ->
            all.subList(0, words)
                .forEach(
                    word ->
                        lines.add(
                            "{\"sentence\":\"%s\",\"label\":\"%s\"}"
                                .formatted(pattern.formatted(word), label))));
    return lines;
  }

  /** Starts a program of this project. */
  final Running start(String name, String... command) throws IOException {
    ProcessBuilder builder = new ProcessBuilder(command).directory(ROOT.toFile());
    builder.environment().put("GUILOMO_CLUSTER_DIR", directory.resolve("cluster").toString());
    builder.environment().put("GUILOMO_GPU_DISCOVERY", directory.resolve("gpus").toString());
    builder.environment().put("GUILOMO_JAR", System.getProperty("guilomo.jar"));
    builder.environment().put("GUILOMO_OFF_HEAP", "2g");
    // The first of all tests' allocations leaves its classes to every driver after it.
    builder.environment().put("GUILOMO_ARCHIVE", "" + List.of(command).contains("allocate"));
    builder.environment().putAll(environment);
    Path err = Files.createTempFile(directory, name, ".err");
    return new Running(builder.redirectError(err.toFile()).start(), err);
  }
}
