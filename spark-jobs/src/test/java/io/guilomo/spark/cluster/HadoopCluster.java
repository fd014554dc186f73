package io.guilomo.spark.cluster;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.hdfs.MiniDFSCluster;
import org.apache.hadoop.yarn.conf.YarnConfiguration;
import org.apache.hadoop.yarn.server.MiniYARNCluster;

/** HDFS and YARN with one node each, in this JVM; what runs on them has processes of its own. */
final class HadoopCluster implements PackagedJobs.Storage, AutoCloseable {

  private static final String NAME = "guilomo";

  private final Path configuration;
  private final MiniDFSCluster hdfs;
  private final MiniYARNCluster yarn;

  /**
   * @param directory where the nodes keep what they have
   */
  HadoopCluster(Path directory) throws IOException {
    Configuration settings = new YarnConfiguration();
    settings.set(MiniDFSCluster.HDFS_MINIDFS_BASEDIR, directory.resolve("hdfs").toString());
    hdfs = new MiniDFSCluster.Builder(settings).numDataNodes(1).build();
    hdfs.waitActive();
    settings.set("fs.defaultFS", hdfs.getURI().toString());
    settings.setInt(YarnConfiguration.YARN_MINICLUSTER_NM_PMEM_MB, 10 << 10);
    settings.setInt(YarnConfiguration.NM_VCORES, 8);
    settings.setInt(YarnConfiguration.RM_SCHEDULER_MINIMUM_ALLOCATION_MB, 128);
    settings.set("yarn.scheduler.capacity.root.queues", "default");
    settings.set("yarn.scheduler.capacity.root.default.capacity", "100");
    settings.set("yarn.scheduler.capacity.maximum-am-resource-percent", "1");
    settings.setBoolean(YarnConfiguration.NM_PMEM_CHECK_ENABLED, false);
    settings.setBoolean(YarnConfiguration.NM_VMEM_CHECK_ENABLED, false);
    // Of a disk that is nearly full.
    settings.setFloat(YarnConfiguration.NM_MAX_PER_DISK_UTILIZATION_PERCENTAGE, 100);
    yarn = new MiniYARNCluster(NAME, 1, 1, 1);
    yarn.init(settings);
    yarn.start();
    Configuration sent = new Configuration(yarn.getConfig());
    // A class of the minicluster.
    sent.unset("net.topology.node.switch.mapping.impl");
    configuration = Files.createDirectory(directory.resolve("conf"));
    try (OutputStream out = Files.newOutputStream(configuration.resolve("core-site.xml"))) {
      sent.writeXml(out);
    }
    Files.createSymbolicLink(
        configuration.resolve("yarn-site.xml"), configuration.resolve("core-site.xml"));
  }

  /** Environment of jobs on it. */
  Map<String, String> environment() {
    return Map.of("HADOOP_CONF_DIR", configuration.toString());
  }

  /** Options of jobs on it. */
  static List<String> options(Path spark) {
    return List.of(
        "--deploy-mode", "cluster",
        "--num-executors", "2",
        "--conf", "spark.driver.memoryOverhead=2g",
        "--conf", "spark.executor.memoryOverhead=1g",
        // Not sent along: the node has them.
        "--conf", "spark.yarn.jars=local:" + spark.resolve("jars") + "/*",
        "--conf", "spark.yarn.appMasterEnv.JAVA_HOME=" + System.getProperty("java.home"),
        "--conf", "spark.executorEnv.JAVA_HOME=" + System.getProperty("java.home"));
  }

  @Override
  public String uri(String path) {
    return onHdfs(path).toString();
  }

  @Override
  public void put(Path file, String path) throws IOException {
    hdfs.getFileSystem()
        .copyFromLocalFile(new org.apache.hadoop.fs.Path(file.toUri()), onHdfs(path));
  }

  /** Whether HDFS has a file. */
  boolean exists(String path) throws IOException {
    return hdfs.getFileSystem().exists(onHdfs(path));
  }

  /** What a file of HDFS holds. */
  String text(String path) throws IOException {
    try (InputStream in = hdfs.getFileSystem().open(onHdfs(path))) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  private org.apache.hadoop.fs.Path onHdfs(String path) {
    return new org.apache.hadoop.fs.Path(hdfs.getURI() + "/" + path);
  }

  /** The processes of the drivers that run on it. */
  List<ProcessHandle> drivers() {
    return ProcessHandle.allProcesses()
        .filter(process -> process.info().command().orElse("").endsWith("java"))
        .filter(
            process ->
                List.of(process.info().arguments().orElse(new String[0]))
                    .contains("org.apache.spark.deploy.yarn.ApplicationMaster"))
        .toList();
  }

  /**
   * What all containers wrote to files of this name.
   *
   * @param file stdout or stderr
   */
  String logs(String file) throws IOException {
    Path work = yarn.getTestWorkDir().toPath();
    StringBuilder text = new StringBuilder();
    try (Stream<Path> logs = Files.walk(work)) {
      for (Path log : logs.filter(path -> path.endsWith(file)).sorted().toList()) {
        text.append(Files.readString(log));
      }
    }
    return text.toString();
  }

  @Override
  public void close() throws IOException {
    yarn.close();
    hdfs.close();
  }
}
