package io.guilomo.spark.preflight;

import io.guilomo.config.ClusterConfig.Device;
import io.guilomo.config.GuilomoConfig;
import io.guilomo.data.DataReport;
import io.guilomo.model.Task;
import io.guilomo.model.UserException;
import io.guilomo.network.BackboneConfig;
import io.guilomo.plan.AllocationPlan;
import io.guilomo.sizing.BatchShape;
import io.guilomo.sizing.ByteSize;
import io.guilomo.sizing.MemoryEstimate;
import io.guilomo.spark.data.ShardedData;
import io.guilomo.spark.input.JobContext;
import io.guilomo.spark.input.JobData;
import io.guilomo.spark.input.Networks;
import io.guilomo.spark.preflight.Check.Status;
import io.guilomo.spark.progress.ProgressListener;
import io.guilomo.spark.run.RecordedRun;
import io.guilomo.spark.worker.TaskDevice;
import io.guilomo.spark.worker.Workers;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkContext;

/**
 * What a training needs, as far as configuration and settings tell before it starts.
 *
 * @param training {@code search} or {@code finetune}
 * @param estimate of its memory
 * @param device where it computes
 * @param workers that train concurrently
 * @param searches that run concurrently; 1 in fine-tuning
 */
public record Preflight(
    String training, MemoryEstimate estimate, Device device, int workers, int searches) {

  /** Classes of a classification whose labels are not known yet: any number is small. */
  private static final int SOME_CLASSES = 2;

  private static final String MAX_RESULTS = "spark.driver.maxResultSize";

  private static final int START_SECONDS = 30;

  /** Applications and models that have been looked at: the jobs of a comparison share both. */
  private static final Set<String> STARTED = ConcurrentHashMap.newKeySet();

  /** An executor alone, or the driver; what it needs, and what keeps it from having it. */
  record Process(boolean executor, MemoryNeed need, List<MemoryLimit> limits) {}

  public static Preflight search(
      GuilomoConfig config, BackboneConfig backbone, Workers workers, BatchShape batch) {
    return new Preflight(
        "search",
        MemoryEstimate.search(
                Networks.toSearch(config, backbone, config.run().seed(), classes(config)),
                config.search(),
                batch)
            .keptAs(workers.precision()),
        workers.device(),
        workers.count(),
        Math.max(1, config.search().seeds().size()));
  }

  /** Of the short training of all candidates, which has batches and learning rate of a search. */
  public static Preflight measuring(
      GuilomoConfig config, BackboneConfig backbone, Workers workers, BatchShape batch) {
    return new Preflight(
        "search",
        MemoryEstimate.measuring(
                Networks.toMeasure(config, backbone, config.run().seed(), classes(config)),
                config.search(),
                batch)
            .keptAs(workers.precision()),
        workers.device(),
        workers.count(),
        1);
  }

  public static Preflight fineTuning(
      GuilomoConfig config,
      BackboneConfig backbone,
      AllocationPlan plan,
      Workers workers,
      BatchShape batch) {
    return new Preflight(
        "finetune",
        MemoryEstimate.fineTuning(
                Networks.ofPlan(config, backbone, plan, config.run().seed(), classes(config)),
                config.finetune(),
                batch)
            .keptAs(workers.precision()),
        workers.device(),
        workers.count(),
        1);
  }

  private static int classes(GuilomoConfig config) {
    return Task.parse(config.data().task()) == Task.CLASSIFICATION
        ? Math.max(SOME_CLASSES, config.data().labels().size())
        : 0;
  }

  /**
   * Refuses settings under which workers come, go or run twice.
   *
   * @throws UserException with the setting
   */
  public static void requireFixedWorkers(SparkConf conf) {
    if (conf.getBoolean("spark.dynamicAllocation.enabled", false)) {
      throw new UserException(
          "Cannot train with spark.dynamicAllocation.enabled=true: averaging needs the same workers"
              + " in every round; set it to false, and spark.executor.instances to their number");
    }
    if (conf.getBoolean("spark.speculation", false)) {
      throw new UserException(
          "Cannot train with spark.speculation=true: a second copy of a slow worker would train the"
              + " round again; set it to false");
    }
  }

  /**
   * What driver and executors need, and have as far as the settings tell.
   *
   * @param slots tasks that a process could run concurrently
   */
  List<Process> processes(SparkContext spark, int slots) {
    int tasks = Math.max(1, Math.min(slots, workers * searches));
    boolean gpu = TaskDevice.expected(device, spark);
    if (spark.isLocal()) {
      return List.of(
          new Process(
              false,
              MemoryNeed.local(training, estimate, gpu, tasks, workers, searches),
              MemoryLimit.here()));
    }
    return List.of(
        new Process(
            true,
            MemoryNeed.executor(training, estimate, gpu, tasks, searches),
            MemoryLimit.ofExecutors(spark.getConf())),
        new Process(
            false, MemoryNeed.driver(training, estimate, workers, searches), MemoryLimit.here()));
  }

  /** Why Spark would not hand over what the workers send back in a round, if so. */
  Optional<String> resultsRefusal(SparkConf conf) {
    long results = estimate.driver(workers, searches).results();
    long most = conf.getSizeAsBytes(MAX_RESULTS, "1g");
    return most == 0 || results <= most
        ? Optional.empty()
        : Optional.of(
            String.format(
                "Cannot average guilomo.%s: the driver gets %s a round, and %s is %s: set it to %s,"
                    + " or to 0 for any size",
                training,
                ByteSize.text(results),
                MAX_RESULTS,
                ByteSize.text(most),
                ByteSize.setting(results + results / 50)));
  }

  /** Why it cannot fit, if so. Where limits are not known it can. */
  Optional<String> refusal(SparkContext spark) {
    return processes(spark, Workers.slots(spark)).stream()
        .flatMap(process -> process.need().refusal(process.limits()).stream())
        .findFirst()
        .or(() -> resultsRefusal(spark.getConf()));
  }

  /**
   * Loads the data of a training between the checks: that any batch fits and every process can do
   * its part, before anything is read; that batches of mean length fit, after it. Warns if batches
   * of the longest sequences do not.
   *
   * @param validationFraction of the training records that is held out where there are no
   *     validation records
   * @param training what it needs with batches of a shape
   * @throws UserException with what it needs and what there is
   */
  public static ShardedData load(
      JobContext context,
      RecordedRun run,
      Workers workers,
      int batchSize,
      double validationFraction,
      Function<BatchShape, Preflight> training)
      throws IOException {
    SparkContext spark = context.sparkContext();
    require(spark, training);
    start(context);
    ShardedData data = new JobData(context).load(workers.count(), validationFraction);
    context.message(JobData.describe(data.report()));
    data.labels().ifPresent(labels -> context.message(JobData.describe(labels, data.kinds())));
    run.data(data.report());
    require(spark, training, batchSize, data.report(), context.progress());
    return data;
  }

  static void require(SparkContext spark, Function<BatchShape, Preflight> training) {
    refuse(training.apply(BatchShape.LEAST).refusal(spark));
  }

  static void require(
      SparkContext spark,
      Function<BatchShape, Preflight> training,
      int batchSize,
      DataReport data,
      ProgressListener progress) {
    int workers = training.apply(BatchShape.LEAST).workers();
    int sequences = (int) Math.max(1, Math.min(batchSize, data.train() / workers));
    long examples = Math.max(1, data.train() + data.validation());
    int length = (int) Math.max(1, data.tokens() / examples);
    refuse(training.apply(new BatchShape(sequences, length)).refusal(spark));
    training
        .apply(new BatchShape(batchSize, data.longest()))
        .refusal(spark)
        .ifPresent(text -> progress.message("if a batch has the longest sequences alone: " + text));
  }

  private static void refuse(Optional<String> refusal) {
    refusal.ifPresent(
        text -> {
          throw new UserException(text);
        });
  }

  /**
   * The quick checks of {@code doctor}, before a job loads its model everywhere: versions,
   * libraries, their speed, and whether every executor can read the model. Refuses what cannot
   * work, and warns of what will be slow. Data and memory are checked by the job, which knows more
   * about them.
   *
   * @throws UserException with the reason that the first such process gives
   */
  public static void start(JobContext context) {
    SparkContext spark = context.sparkContext();
    String model = context.config().model().path();
    String done = spark.applicationId() + " " + model;
    if (STARTED.contains(done)) {
      return;
    }
    ClusterChecks cluster =
        ClusterChecks.quick(spark, model, context.config().kernels().products(), START_SECONDS);
    report(cluster.checks(), cluster.executors() > 0, context.progress());
    if (cluster.executors() > 0) {
      STARTED.add(done);
    }
  }

  /**
   * @param answered whether any executor has; on a busy cluster they may start later
   */
  static void report(List<Check> checks, boolean answered, ProgressListener progress) {
    Optional<Check> refused =
        checks.stream()
            .filter(check -> check.status() == Status.CANNOT)
            .filter(check -> answered || !check.name().equals(ClusterChecks.EXECUTORS))
            .findFirst();
    if (refused.isPresent()) {
      throw new UserException(refusal(refused.get()));
    }
    for (Check check : checks) {
      if (check.status() != Status.OK) {
        progress.message("warning: " + check.subject() + ": " + check.text());
      }
    }
  }

  /** A reason of the driver as it is, one of an executor with its name. */
  private static String refusal(Check check) {
    return check.process().isEmpty() || check.process().equals(Machine.DRIVER)
        ? check.text()
        : "Cannot run on %s: %s".formatted(check.process(), check.text());
  }
}
