package io.guilomo.spark.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.commons.io.FileUtils;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.yarn.conf.YarnConfiguration;
import org.apache.hadoop.yarn.server.MiniYARNCluster;
import org.apache.hadoop.yarn.server.resourcemanager.rmapp.RMApp;

/**
 * The packaged jar on a ResourceManager and a NodeManager in this JVM, whose containers are real
 * processes. Drivers run in the cluster, with as many executors as the jobs have workers.
 */
final class YarnCluster extends PackagedJobs implements AutoCloseable {

  private static final String SPARK = System.getProperty("guilomo.spark.home");

  private final MiniYARNCluster yarn = new MiniYARNCluster("yarn", 1, 1, 1);
  private final Path settings;

  YarnCluster(Path directory) throws IOException, InterruptedException {
    super(directory, "yarn", options(directory));
    settings = Files.createDirectories(directory.resolve("hadoop"));
    yarn.init(configuration());
    yarn.start();
    Configuration started = yarn.getConfig();
    // The ResourceManager may write its ports there later than it starts.
    while (started.get(YarnConfiguration.RM_ADDRESS).endsWith(":0")) {
      TimeUnit.MILLISECONDS.sleep(50);
    }
    try (OutputStream out = Files.newOutputStream(settings.resolve("yarn-site.xml"))) {
      started.writeXml(out);
    }
  }

  private static List<String> options(Path directory) {
    String java = System.getProperty("java.home");
    return List.of(
        "--deploy-mode",
        "cluster",
        "--num-executors",
        "2",
        "--driver-memory",
        "1g",
        "--conf",
        "spark.driver.memoryOverhead=2g",
        "--conf",
        "spark.executor.memoryOverhead=2g",
        "--conf",
        "spark.yarn.maxAppAttempts=2",
        "--conf",
        "spark.yarn.appMasterEnv.JAVA_HOME=" + java,
        "--conf",
        "spark.executorEnv.JAVA_HOME=" + java,
        "--conf",
        "spark.yarn.appMasterEnv.SPARK_LOCAL_IP=127.0.0.1",
        "--conf",
        "spark.executorEnv.SPARK_LOCAL_IP=127.0.0.1",
        // Spark's own jars are on every machine.
        "--conf",
        "spark.yarn.jars=local:" + SPARK + "/jars/*",
        "--conf",
        "spark.yarn.stagingDir=" + directory.resolve("staging").toUri());
  }

  private static YarnConfiguration configuration() throws IOException {
    YarnConfiguration conf = new YarnConfiguration();
    conf.set("fs.defaultFS", "file:///");
    conf.set(YarnConfiguration.RM_HOSTNAME, InetAddress.getLocalHost().getHostName());
    conf.setInt(YarnConfiguration.RM_AM_MAX_ATTEMPTS, 2);
    conf.setInt(YarnConfiguration.RM_SCHEDULER_MINIMUM_ALLOCATION_MB, 256);
    conf.setInt(YarnConfiguration.YARN_MINICLUSTER_NM_PMEM_MB, 12 << 10);
    conf.setBoolean(YarnConfiguration.NM_PMEM_CHECK_ENABLED, true);
    // A JVM reserves more addresses than it has memory.
    conf.setBoolean(YarnConfiguration.NM_VMEM_CHECK_ENABLED, false);
    conf.setFloat(YarnConfiguration.NM_MAX_PER_DISK_UTILIZATION_PERCENTAGE, 100);
    // Hadoop's jar has no capacity-scheduler.xml.
    String queues = "yarn.scheduler.capacity.";
    conf.set(queues + "maximum-am-resource-percent", "1");
    conf.set(queues + "root.queues", "default");
    conf.set(queues + "root.default.capacity", "100");
    conf.set(queues + "root.default.state", "RUNNING");
    conf.set(queues + "node-locality-delay", "-1");
    return conf;
  }

  @Override
  void adapt(Map<String, String> environment) {
    environment.put("HADOOP_CONF_DIR", settings.toString());
    environment.put("YARN_CONF_DIR", settings.toString());
    // Containers say how much memory there is.
    environment.remove("GUILOMO_OFF_HEAP");
  }

  /** The application that was submitted last. */
  RMApp application() {
    return yarn.getResourceManager().getRMContext().getRMApps().values().stream()
        .max((a, b) -> a.getApplicationId().compareTo(b.getApplicationId()))
        .orElseThrow();
  }

  /** Waits until a file is there; fails with what the driver said where the job ends before. */
  void await(Running running, Path file) throws IOException, InterruptedException {
    try {
      running.await(file);
    } catch (AssertionError e) {
      throw new AssertionError(err(application(), 1), e);
    }
  }

  /** The command line of an application's driver. */
  String driver(RMApp application) {
    return commandLine(driverProcess(application));
  }

  /** Kills an application's driver. */
  void killDriver(RMApp application) {
    assertThat(driverProcess(application).destroyForcibly()).isTrue();
  }

  private static ProcessHandle driverProcess(RMApp application) {
    String id = application.getApplicationId().toString();
    List<ProcessHandle> found =
        ProcessHandle.allProcesses()
            .filter(process -> process.info().command().orElse("").endsWith("/java"))
            .filter(process -> commandLine(process).contains("/" + id + "/"))
            .filter(process -> commandLine(process).contains(".yarn.ApplicationMaster "))
            .toList();
    assertThat(found).hasSize(1);
    return found.get(0);
  }

  /** From the kernel, because Java gives no arguments of long command lines. */
  private static String commandLine(ProcessHandle process) {
    try {
      return Files.readString(Path.of("/proc/" + process.pid() + "/cmdline")).replace('\0', ' ');
    } catch (IOException e) {
      return "";
    }
  }

  /** What the driver of an attempt, counted from 1, has written to standard error. */
  String err(RMApp application, int attempt) throws IOException {
    String container = "_%02d_000001".formatted(attempt);
    String id = application.getApplicationId().toString();
    try (Stream<Path> files = Files.walk(yarn.getTestWorkDir().toPath())) {
      return files
          .filter(file -> file.endsWith("stderr"))
          .filter(file -> file.toString().contains(id))
          .filter(file -> file.getParent().getFileName().toString().endsWith(container))
          .map(YarnCluster::text)
          .findFirst()
          .orElse("no log of attempt " + attempt);
    }
  }

  private static String text(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Stops it with what still runs. */
  @Override
  public void close() throws IOException {
    yarn.stop();
    FileUtils.deleteDirectory(yarn.getTestWorkDir());
  }
}
