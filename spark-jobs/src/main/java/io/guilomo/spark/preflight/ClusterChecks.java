package io.guilomo.spark.preflight;

import io.guilomo.config.KernelsConfig.Products;
import io.guilomo.model.UserException;
import io.guilomo.model.UserPath;
import io.guilomo.sizing.ByteSize;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.LocalFileSystem;
import org.apache.spark.SparkContext;

/** What driver and executors report about themselves, and what follows from it. */
record ClusterChecks(SparkContext spark, Machine driver, ExecutorSurvey survey, boolean ownDisk) {

  /** Name of the check whether any executor has answered. */
  public static final String EXECUTORS = "executors";

  private static final int JAVA = 17;

  /**
   * Checks the driver and every executor.
   *
   * @param model directory of the model
   * @param data paths by their configuration keys
   * @param output directory of the runs
   * @param product to measure
   * @param seconds how long to wait for executors
   */
  public static ClusterChecks run(
      SparkContext spark,
      String model,
      Map<String, String> data,
      String output,
      Processor.Product product,
      int seconds) {
    int expected = spark.isLocal() ? 1 : spark.getConf().getInt("spark.executor.instances", 0);
    FileChecks files = new FileChecks(model, data, output);
    return run(
        spark, product, files, expected, seconds, ownDisk(output, spark.hadoopConfiguration()));
  }

  /**
   * The checks that take no time, at the start of a job: of the driver and the executors that have
   * registered by now.
   *
   * @param products library that multiplies
   * @param seconds how long to wait for the first executor
   */
  public static ClusterChecks quick(
      SparkContext spark, String model, Products products, int seconds) {
    FileChecks files = new FileChecks(model, Map.of(), "");
    return run(spark, Processor.Product.quick(products), files, 1, seconds, false);
  }

  private static ClusterChecks run(
      SparkContext spark,
      Processor.Product product,
      FileChecks files,
      int expected,
      int seconds,
      boolean ownDisk) {
    ExecutorSurvey survey = ExecutorSurvey.run(spark, product, files, expected, seconds);
    Machine driver =
        survey.machines().stream()
            .filter(Machine::driver)
            .findFirst()
            .orElseGet(
                () -> Machine.here(Machine.DRIVER, 0, product, files, spark.hadoopConfiguration()));
    return new ClusterChecks(spark, driver, survey, ownDisk);
  }

  private static boolean ownDisk(String directory, Configuration hadoop) {
    try {
      return UserPath.open(directory, hadoop).files() instanceof LocalFileSystem;
    } catch (UserException e) {
      // The check of the directory reports it.
      return false;
    }
  }

  /** Number of executors that have answered. */
  public int executors() {
    return survey.machines().size();
  }

  /** Number of tasks that an executor runs concurrently. */
  public int tasks() {
    return survey.tasks();
  }

  /** The memory limits of all executors. */
  public List<MemoryLimit> executorLimits() {
    return survey.machines().stream().flatMap(machine -> machine.limits().stream()).toList();
  }

  /** All checks that do not depend on the training. */
  public List<Check> checks() {
    List<Check> checks = new ArrayList<>();
    checks.add(java());
    checks.add(Check.ok("Spark", spark.version() + ", master " + spark.master()));
    checks.add(executorsFound());
    checks.add(same("ND4J backend", m -> m.software().backend()));
    gpus().ifPresent(checks::add);
    checks.addAll(cards());
    checks.add(kernels());
    checks.add(same("matrix products", m -> m.software().blas()));
    machines().map(Machine::speed).forEach(checks::add);
    checks.addAll(files());
    if (ownDisk && machines().map(Machine::host).distinct().count() > 1) {
      checks.add(
          Check.warning(
              "guilomo.output.dir",
              "is a local path of each machine; executors must write where the driver reads, so it has"
                  + " to be on a disk that all of them share"));
    }
    return checks;
  }

  private Check java() {
    Check same = same("Java", m -> m.software().java());
    return machines().allMatch(machine -> machine.software().java().startsWith(JAVA + "."))
        ? same
        : Check.warning(same.name(), same.text() + ": only " + JAVA + " is tested");
  }

  private Check executorsFound() {
    String found =
        String.format(
            Locale.ROOT,
            "%d registered with the driver, %d cores, %d answered",
            survey.registered(),
            survey.cores(),
            executors());
    if (executors() == 0) {
      return Check.cannot(
          EXECUTORS,
          "Cannot run on "
              + spark.master()
              + ": no executor has answered; check whether it has workers with the requested cores"
              + " and memory");
    }
    return executors() < survey.registered()
        ? Check.warning(EXECUTORS, found)
        : Check.ok(EXECUTORS, spark.isLocal() ? found + ": the driver itself" : found);
  }

  /** A property that should be the same everywhere. */
  private Check same(String name, Function<Machine, String> property) {
    String expected = property.apply(driver);
    List<String> others =
        machines()
            .filter(machine -> !property.apply(machine).equals(expected))
            .map(machine -> machine.name() + " has " + property.apply(machine))
            .toList();
    return others.isEmpty()
        ? Check.ok(name, expected)
        : Check.warning(name, expected + " on the driver, but " + String.join(", ", others));
  }

  /** The GPUs that Spark assigned, if it did. */
  private Optional<Check> gpus() {
    String given =
        machines()
            .filter(machine -> !machine.gpus().assigned().isEmpty())
            .map(machine -> machine.name() + ": " + String.join(", ", machine.gpus().assigned()))
            .collect(Collectors.joining("; "));
    if (given.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(
        machines()
            .map(Machine::gpus)
            .filter(gpus -> !gpus.assigned().isEmpty() && !gpus.unusable().isEmpty())
            .findFirst()
            .map(gpus -> Check.warning("GPUs", given + "; they are not used: " + gpus.unusable()))
            .orElseGet(() -> Check.ok("GPUs", given)));
  }

  /** One check per process and card. */
  private List<Check> cards() {
    return machines()
        .flatMap(
            machine ->
                IntStream.range(0, machine.gpus().cards().size())
                    .mapToObj(
                        i ->
                            Check.ok("GPU " + i, machine.gpus().cards().get(i)).in(machine.name())))
        .toList();
  }

  private Check kernels() {
    Check same = same("kernels", m -> m.software().kernels());
    boolean portable = machines().anyMatch(m -> m.software().kernels().startsWith("Nd4j"));
    return portable
        ? Check.warning(
            same.name(),
            same.text()
                + ": the faster kernels need --add-modules=jdk.incubator.vector in the Java options")
        : same;
  }

  /** One check per file if it is fine everywhere; otherwise one for each process where it fails. */
  private List<Check> files() {
    List<Check> checks = new ArrayList<>();
    for (int i = 0; i < driver.files().size(); i++) {
      int index = i;
      Check own = driver.files().get(i);
      List<Machine> failed =
          machines().filter(m -> m.files().get(index).status() != Check.Status.OK).toList();
      if (failed.isEmpty()) {
        checks.add(Check.ok(own.name(), own.text() + everywhere()));
      }
      for (Machine machine : failed) {
        checks.add(Check.cannot(own.name(), machine.files().get(index).text()).in(machine.name()));
      }
    }
    return checks;
  }

  private String everywhere() {
    int others = (int) survey.machines().stream().filter(machine -> !machine.driver()).count();
    return others == 0
        ? ""
        : " (driver and %d %s)".formatted(others, others == 1 ? "executor" : "executors");
  }

  /** The driver, then the executors in other processes. */
  private Stream<Machine> machines() {
    return Stream.concat(
        Stream.of(driver), survey.machines().stream().filter(machine -> !machine.driver()));
  }

  /**
   * What a process that fills its heap has resident; empty if no executor has reported its heap.
   */
  public Optional<Check> resident(String name, MemoryNeed need, boolean executor) {
    if (!executor) {
      return Optional.of(need.resident(name, driver.heap(), driver.limits()));
    }
    OptionalLong largest = survey.machines().stream().mapToLong(Machine::heap).max();
    return largest.isEmpty()
        ? Optional.empty()
        : Optional.of(need.resident(name, largest.getAsLong(), executorLimits()));
  }

  /** A warning if the Java heap may be too small for what Spark sends and receives. */
  public List<Check> heap(String name, MemoryNeed need, boolean executor) {
    long most =
        executor
            ? survey.machines().stream().mapToLong(Machine::heap).min().orElse(0)
            : driver.heap();
    return most == 0 || need.heap() <= most * 6 / 10
        ? List.of()
        : List.of(
            Check.warning(
                name,
                "sending and receiving parameters takes about %s %s, but the heap has %s: set %s=%s"
                    .formatted(
                        ByteSize.text(need.heap()),
                        need.place(),
                        ByteSize.text(most),
                        executor ? "spark.executor.memory" : "spark.driver.memory",
                        ByteSize.setting(need.heap() * 2))));
  }

  /** Machines whose memory is too small for all of their executors. */
  public List<Check> hosts(String name, MemoryNeed need) {
    Map<String, List<Machine>> hosts =
        survey.machines().stream()
            .filter(machine -> !machine.driver())
            .collect(Collectors.groupingBy(Machine::host));
    List<Check> checks = new ArrayList<>();
    hosts.forEach(
        (host, machines) -> {
          long needed = need.offHeap() * machines.size();
          long total =
              machines.get(0).limits().stream()
                  .filter(limit -> limit.source().equals(MemoryLimit.MACHINE))
                  .mapToLong(MemoryLimit::bytes)
                  .findFirst()
                  .orElse(Long.MAX_VALUE);
          if (machines.size() > 1 && needed > total) {
            checks.add(
                Check.cannot(
                    name,
                    "Cannot fit %d executors on %s: together they need %s and it has %s: use fewer executors per machine, with more tasks each"
                        .formatted(
                            machines.size(), host, ByteSize.text(needed), ByteSize.text(total))));
          }
        });
    return checks;
  }
}
