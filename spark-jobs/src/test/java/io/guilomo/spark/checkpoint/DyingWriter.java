package io.guilomo.spark.checkpoint;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.RawLocalFileSystem;

/** The local disk as {@code dying:}, on which a process ends when it is about to rename. */
public final class DyingWriter extends RawLocalFileSystem {

  static final int STATUS = 137;

  /** A process that writes a checkpoint of round 2 and dies before it has its name. */
  static Process start(Path root) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
    command.addAll(
        List.of(
            "-cp",
            System.getProperty("java.class.path"),
            DyingWriter.class.getName(),
            root.toAbsolutePath().toString()));
    return new ProcessBuilder(command)
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .redirectError(ProcessBuilder.Redirect.DISCARD)
        .start();
  }

  public static void main(String[] args) throws IOException {
    Configuration conf = new Configuration();
    conf.setClass("fs.dying.impl", DyingWriter.class, FileSystem.class);
    new CheckpointDirectory(new org.apache.hadoop.fs.Path("dying://" + args[0]), conf, 1)
        .write(TestCheckpointDirectory.checkpoint(2, 2));
  }

  @Override
  public URI getUri() {
    return URI.create("dying:///");
  }

  @Override
  public boolean rename(org.apache.hadoop.fs.Path from, org.apache.hadoop.fs.Path to) {
    Runtime.getRuntime().halt(STATUS);
    return false;
  }
}
