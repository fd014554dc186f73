package io.guilomo.spark.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The packaged jar on a cluster of a master and two workers of one core, started by the script that
 * users start them by.
 */
final class StandaloneCluster extends PackagedJobs implements AutoCloseable {

  private final String master;

  StandaloneCluster(Path directory) throws IOException, InterruptedException {
    this(directory, List.of(), "--workers", "2", "--memory", "1g");
  }

  /**
   * @param spark options of every job for {@code spark-submit}
   * @param options of {@code deploy/standalone-cluster start}
   */
  StandaloneCluster(Path directory, List<String> spark, String... options)
      throws IOException, InterruptedException {
    this(directory, spark, freePort(), options);
  }

  private StandaloneCluster(Path directory, List<String> spark, int port, String... options)
      throws IOException, InterruptedException {
    super(directory, "spark://127.0.0.1:" + port, spark);
    this.master = "spark://127.0.0.1:" + port;
    List<String> start =
        new ArrayList<>(List.of("deploy/standalone-cluster", "start", "--port", "" + port));
    start.addAll(List.of(options));
    Ended started = start("cluster", start.toArray(String[]::new)).end();
    assertThat(started.out().strip()).as(started.err()).isEqualTo(master);
  }

  private static int freePort() throws IOException {
    try (ServerSocket free = new ServerSocket(0)) {
      return free.getLocalPort();
    }
  }

  /** The processes of the cluster's executors. */
  List<ProcessHandle> executors() {
    return ProcessHandle.allProcesses()
        .filter(process -> arguments(process).contains("CoarseGrainedExecutorBackend"))
        .filter(process -> process.parent().map(p -> arguments(p).contains(master)).orElse(false))
        .toList();
  }

  private static String arguments(ProcessHandle process) {
    return String.join(" ", process.info().arguments().orElse(new String[0]));
  }

  /** Stops it; jobs that still run fail. */
  @Override
  public void close() throws IOException, InterruptedException {
    start("stop", "deploy/standalone-cluster", "stop").end();
  }
}
