package io.guilomo.spark.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.spark.run.RunLock;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.hdfs.MiniDFSCluster;
import org.apache.hadoop.hdfs.server.namenode.FSNamesystem;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A NameNode and a DataNode in this JVM. */
@Tag("slow")
class TestCheckpointsOnHdfs {

  @TempDir private Path disk;

  @Test
  void theyOutliveTheNameNode() throws Exception {
    Configuration conf = new Configuration();
    conf.set(MiniDFSCluster.HDFS_MINIDFS_BASEDIR, disk.toString());
    try (MiniDFSCluster cluster = new MiniDFSCluster.Builder(conf).numDataNodes(1).build()) {
      cluster.waitActive();
      org.apache.hadoop.fs.Path root =
          new org.apache.hadoop.fs.Path(cluster.getURI() + "/runs/a/checkpoints/allocate/seed-1");
      CheckpointDirectory directory = new CheckpointDirectory(root, conf, 1);
      directory.write(TestCheckpointDirectory.checkpoint(1, 1));
      cluster.restartNameNode(true);
      assertThat(new CheckpointDirectory(root, conf, 1).newest(line -> {}))
          .hasValueSatisfying(checkpoint -> assertThat(checkpoint.round()).isEqualTo(1));
      directory.write(TestCheckpointDirectory.checkpoint(2, 2));
      cluster.restartNameNode(true);
      assertThat(directory.newest(line -> {}))
          .hasValueSatisfying(
              checkpoint ->
                  assertThat(checkpoint.parameters().toFloatVector())
                      .containsExactly(2, -0f, 1e-40f));
      assertThat(cluster.getFileSystem().listStatus(root)).hasSize(1);
    }
  }

  @Test
  void aWriterWaitsForTheNameNodeToComeBack() throws Exception {
    Configuration conf = new Configuration();
    conf.set(MiniDFSCluster.HDFS_MINIDFS_BASEDIR, disk.toString());
    conf.setBoolean("dfs.client.retry.policy.enabled", true);
    conf.set("dfs.client.retry.policy.spec", "500,120");
    ExecutorService thread = Executors.newSingleThreadExecutor();
    try (MiniDFSCluster cluster = new MiniDFSCluster.Builder(conf).numDataNodes(1).build()) {
      cluster.waitActive();
      org.apache.hadoop.fs.Path root =
          new org.apache.hadoop.fs.Path(cluster.getURI() + "/runs/a/checkpoints/allocate/seed-1");
      AtomicBoolean back = new AtomicBoolean();
      CountDownLatch begun = new CountDownLatch(3);
      Future<List<Double>> seconds =
          thread.submit(
              () -> {
                CheckpointDirectory directory = new CheckpointDirectory(root, conf, 2);
                List<Double> all = new ArrayList<>();
                while (!back.get()) {
                  long start = System.nanoTime();
                  directory.write(TestCheckpointDirectory.checkpoint(all.size() + 1, all.size()));
                  all.add((System.nanoTime() - start) / 1e9);
                  begun.countDown();
                }
                return all;
              });
      assertThat(begun.await(1, TimeUnit.MINUTES)).isTrue();
      long start = System.nanoTime();
      // A process that dies answers nothing. A NameNode in this one would answer with errors after
      // it has closed its log, so its lock holds callers until their connections are closed too.
      FSNamesystem dying = cluster.getNamesystem();
      dying.writeLock();
      try {
        cluster.restartNameNode(true);
      } finally {
        dying.writeUnlock();
      }
      double away = (System.nanoTime() - start) / 1e9;
      back.set(true);
      List<Double> written = seconds.get(2, TimeUnit.MINUTES);
      System.out.printf(
          "fault: NameNode restarted in %.1f s: %d checkpoints written, the slowest in %.1f s%n",
          away, written.size(), Collections.max(written));
      assertThat(new CheckpointDirectory(root, conf, 2).newest(line -> {}))
          .hasValueSatisfying(
              checkpoint -> assertThat(checkpoint.round()).isEqualTo(written.size()));
      assertThat(cluster.getFileSystem().listStatus(root)).hasSize(2);
    } finally {
      thread.shutdownNow();
    }
  }

  @Test
  void aLockIsHeldByOneOnly() throws Exception {
    Configuration conf = new Configuration();
    conf.set(MiniDFSCluster.HDFS_MINIDFS_BASEDIR, disk.toString());
    try (MiniDFSCluster cluster = new MiniDFSCluster.Builder(conf).numDataNodes(1).build()) {
      org.apache.hadoop.fs.Path path =
          new org.apache.hadoop.fs.Path(cluster.getURI() + "/locks/a.allocate");
      try (RunLock first = RunLock.take(path, conf, "allocate of run a", "app-1", () -> {})) {
        assertThatThrownBy(() -> RunLock.take(path, conf, "allocate of run a", "app-2", () -> {}))
            .hasMessageStartingWith("Cannot start allocate of run a: app-1 on ");
      }
      RunLock.take(path, conf, "allocate of run a", "app-3", () -> {}).close();
    }
  }
}
