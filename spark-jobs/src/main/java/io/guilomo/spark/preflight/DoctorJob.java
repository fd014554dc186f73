package io.guilomo.spark.preflight;

import io.guilomo.config.GuilomoConfig;
import io.guilomo.config.ModelConfig.Precision;
import io.guilomo.config.OutputConfig.Tables;
import io.guilomo.data.Listing;
import io.guilomo.family.Families;
import io.guilomo.family.ModelReader;
import io.guilomo.model.LinearModule;
import io.guilomo.model.RecordSource;
import io.guilomo.model.Task;
import io.guilomo.model.UserException;
import io.guilomo.network.BackboneConfig;
import io.guilomo.plan.AllocationPlan;
import io.guilomo.plan.AllocationStrategies;
import io.guilomo.plan.UniformAllocation;
import io.guilomo.sizing.BatchShape;
import io.guilomo.sizing.ByteSize;
import io.guilomo.spark.catalog.Publications;
import io.guilomo.spark.data.CatalogRows;
import io.guilomo.spark.input.Networks;
import io.guilomo.spark.input.PlanFiles;
import io.guilomo.spark.input.PromptTemplates;
import io.guilomo.spark.run.RunDirectory;
import io.guilomo.spark.session.JavaSerialization;
import io.guilomo.spark.table.RunLayout;
import io.guilomo.spark.tracking.MlflowCheck;
import io.guilomo.spark.worker.Workers;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.SparkContext;
import org.apache.spark.sql.SparkSession;

/** Checks everything that a long run of a configuration depends on, before it starts. */
public final class DoctorJob {

  private static final int SECONDS = 60;
  private static final int COLUMNS = 20;

  private final SparkSession session;
  private final SparkContext spark;
  private final GuilomoConfig config;
  private final Configuration hadoop;
  private final List<Check> checks = new ArrayList<>();

  public DoctorJob(SparkSession spark, GuilomoConfig config) {
    this.session = spark;
    this.spark = spark.sparkContext();
    this.config = config;
    this.hadoop = this.spark.hadoopConfiguration();
  }

  /** What was found, in the order to read it. */
  public List<Check> run() {
    if (!serializes()) {
      // No executor could answer.
      return List.copyOf(checks);
    }
    scheduling();
    ClusterChecks cluster =
        ClusterChecks.run(
            spark,
            config.model().requirePath(),
            data(),
            config.output().dir(),
            Processor.Product.full(config.kernels().products(), config.model().precision()),
            SECONDS);
    checks.addAll(cluster.checks());
    if (config.data().records().isBlank()) {
      checks.add(
          Check.warning(
              "guilomo.data.train", "none of data.train, data.table and data.query is set"));
    }
    catalog();
    publishing();
    template();
    tracking();
    if (config.model().precision() == Precision.INT8) {
      rounding();
    }
    try {
      memory(cluster);
    } catch (IOException | UserException e) {
      checks.add(Check.cannot("memory", String.valueOf(e.getMessage())));
    }
    return List.copyOf(checks);
  }

  /** Whether tables and queries can be resolved; their rows are not read. */
  private void catalog() {
    Map<String, RecordSource> sources = new LinkedHashMap<>();
    sources.put("guilomo.data.", config.data().records());
    sources.put("guilomo.data.validation-", config.data().validationRecords());
    sources.put("guilomo.evaluate.", config.evaluate().records());
    sources.values().removeIf(source -> source.isBlank() || source.isPath());
    sources.forEach(
        (prefix, source) -> {
          String name = prefix + source.kind().name().toLowerCase(Locale.ROOT);
          try {
            String[] columns = new CatalogRows(session, source).rows().columns();
            checks.add(
                Check.ok(
                    name, source.name() + " has columns " + Listing.of(List.of(columns), COLUMNS)));
          } catch (UserException e) {
            checks.add(Check.cannot(name, e.getMessage()));
          }
        });
  }

  /** Whether a job could publish its tables when it ends. */
  private void publishing() {
    if (config.output().tables() == Tables.PARQUET) {
      return;
    }
    String name = "guilomo.output.catalog";
    try {
      checks.add(Check.ok(name, new Publications(session, config.output(), line -> {}).check()));
    } catch (UserException e) {
      checks.add(Check.cannot(name, e.getMessage()));
    }
  }

  private void template() {
    if (Task.parse(config.data().task()) == Task.CLASSIFICATION) {
      return;
    }
    String name = "guilomo.data.prompt-template";
    try {
      boolean chats = PromptTemplates.of(config, hadoop).chat() != null;
      checks.add(
          Check.ok(
              name,
              chats
                  ? "conversations are written with a chat template"
                  : "there is no chat template: conversations may have one turn"));
    } catch (IOException | UserException e) {
      checks.add(Check.cannot(name, String.valueOf(e.getMessage())));
    }
  }

  /** No job needs the server. */
  private void tracking() {
    if (config.tracking().mlflowUri().isEmpty()) {
      return;
    }
    String name = "guilomo.tracking.mlflow.uri";
    try {
      checks.add(Check.ok(name, MlflowCheck.run(config.tracking())));
    } catch (IOException e) {
      checks.add(Check.warning(name, config.tracking().mlflowUri() + ": " + e.getMessage()));
    }
  }

  /** What int8 loses of the weights: all of them are read. */
  private void rounding() {
    String name = "guilomo.model.precision";
    try {
      checks.add(Check.ok(name, ModelReader.errors(config.model().path(), hadoop).describe()));
    } catch (IOException | UserException e) {
      checks.add(Check.cannot(name, String.valueOf(e.getMessage())));
    }
  }

  private boolean serializes() {
    try {
      JavaSerialization.require(spark.getConf());
      return true;
    } catch (UserException e) {
      checks.add(Check.cannot("spark.serializer", e.getMessage()));
      return false;
    }
  }

  private void scheduling() {
    try {
      Preflight.requireFixedWorkers(spark.getConf());
    } catch (UserException e) {
      checks.add(Check.cannot("scheduling", e.getMessage()));
    }
  }

  private Map<String, String> data() {
    Map<String, String> paths = new LinkedHashMap<>();
    paths.put("guilomo.data.train", config.data().train());
    paths.put("guilomo.data.validation", config.data().validation());
    paths.put("guilomo.evaluate.data", config.evaluate().data());
    paths.values().removeIf(String::isBlank);
    return paths;
  }

  private void memory(ClusterChecks cluster) throws IOException {
    BackboneConfig backbone = Families.config(config.model().requirePath(), hadoop);
    Networks.check(config, backbone);
    int length = length(backbone);
    Workers workers = workers();
    checks.add(
        Check.ok(
            "workers",
            String.format(
                "%d, at most %d concurrently in one process, threads of each: %d",
                workers.count(), Math.min(cluster.tasks(), workers.count()), workers.threads())));
    if (AllocationStrategies.learns(config.allocation().strategy())) {
      memory(
          batch -> Preflight.search(config, backbone, workers, batch),
          new BatchShape(config.search().batchSize(), length),
          cluster);
    }
    if (AllocationStrategies.measures(config.allocation().strategy())) {
      memory(
          batch -> Preflight.measuring(config, backbone, workers, batch),
          new BatchShape(config.search().batchSize(), length),
          cluster);
    }
    AllocationPlan plan = plan(backbone);
    memory(
        batch -> Preflight.fineTuning(config, backbone, plan, workers, batch),
        new BatchShape(config.finetune().batchSize(), length),
        cluster);
  }

  /** Those of a training, or where nothing tells how many there are, those of an evaluation. */
  private Workers workers() {
    Workers any = Workers.ofAnyNumber(config, spark);
    try {
      return Workers.of(config, spark);
    } catch (UserException e) {
      checks.add(Check.cannot("guilomo.cluster.workers", e.getMessage()));
      return any;
    }
  }

  /** The maximum length, or where it is too long, the longest there can be. */
  private int length(BackboneConfig backbone) {
    String name = "guilomo.model.max-length";
    int positions = backbone.maxPositions();
    try {
      int length = config.model().maxLengthFor(positions);
      checks.add(Check.ok(name, "%d of the model's %,d positions".formatted(length, positions)));
      return length;
    } catch (UserException e) {
      checks.add(Check.cannot(name, e.getMessage()));
      return positions;
    }
  }

  /** The plan to train, or if there is none yet the largest possible. */
  private AllocationPlan plan(BackboneConfig backbone) throws IOException {
    List<LinearModule> modules = Networks.targets(config, backbone);
    String given = config.finetune().plan();
    if (!given.isBlank()) {
      return PlanFiles.readFor(given, config, backbone, hadoop);
    }
    if (!config.run().id().isEmpty()) {
      Path own =
          new RunDirectory(config.output().dir(), config.run().id(), hadoop).path(RunLayout.PLAN);
      if (own.getFileSystem(hadoop).exists(own)) {
        return PlanFiles.read(own.toString(), modules, backbone.paths(), config.loraMoe(), hadoop);
      }
    }
    return new UniformAllocation(
            config.loraMoe().maxExperts(), config.loraMoe().maxRank(), config.loraMoe().form())
        .plan(modules);
  }

  /** Whether batches of the longest sequences fit, and if not, whether any batch does. */
  private void memory(
      Function<BatchShape, Preflight> training, BatchShape longest, ClusterChecks cluster) {
    Preflight most = training.apply(longest);
    List<Preflight.Process> least =
        training.apply(BatchShape.LEAST).processes(spark, cluster.tasks());
    String name = "memory of guilomo." + most.training();
    List<Preflight.Process> processes = most.processes(spark, cluster.tasks());
    for (int i = 0; i < processes.size(); i++) {
      Preflight.Process process = processes.get(i);
      boolean executor = process.executor();
      List<MemoryLimit> limits = new ArrayList<>(process.limits());
      if (executor) {
        limits.addAll(cluster.executorLimits());
      }
      checks.add(check(name, least.get(i).need(), process.need(), limits));
      cluster
          .resident("resident memory of guilomo." + most.training(), process.need(), executor)
          .ifPresent(checks::add);
      checks.addAll(
          cluster.heap("Java heap of guilomo." + most.training(), process.need(), executor));
      if (executor) {
        checks.addAll(cluster.hosts(name, least.get(i).need()));
      }
    }
    averaging(most, cluster);
  }

  private static Check check(
      String name, MemoryNeed least, MemoryNeed most, List<MemoryLimit> limits) {
    if (least.refusal(limits).isPresent()) {
      return Check.cannot(name, least.refusal(limits).get());
    }
    return most.refusal(limits)
        .map(
            text ->
                Check.warning(
                    name, "if a batch has sequences of guilomo.model.max-length alone: " + text))
        .orElseGet(() -> Check.ok(name, most.describe(limits)));
  }

  private void averaging(Preflight training, ClusterChecks cluster) {
    String name = "averaging of guilomo." + training.training();
    long moved =
        training.estimate().roundBytes(Math.max(1, cluster.executors()), training.workers());
    checks.add(
        training
            .resultsRefusal(spark.getConf())
            .map(refusal -> Check.cannot(name, refusal))
            .orElseGet(() -> Check.ok(name, "a round moves " + ByteSize.text(moved))));
  }
}
