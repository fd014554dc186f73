package io.guilomo.spark.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.hdfs.MiniDFSCluster;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A NameNode and a DataNode in this JVM. */
@Tag("fault")
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
