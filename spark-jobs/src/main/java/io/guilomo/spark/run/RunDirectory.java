package io.guilomo.spark.run;

import io.guilomo.model.UserPath;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** The files of one run, {@code runs/RUN_ID} under the output directory. */
public final class RunDirectory {

  private final Path directory;
  private final FileSystem fileSystem;

  public RunDirectory(String outputDir, String runId, Configuration conf) throws IOException {
    this.directory = new Path(new Path(UserPath.of(outputDir), "runs"), runId);
    this.fileSystem = directory.getFileSystem(conf);
  }

  /** Writes a whole text: into a temporary file first, which is then renamed. */
  public void write(String name, String text) throws IOException {
    Path target = new Path(directory, name);
    Path temporary = new Path(directory, "_" + name + ".tmp");
    try (OutputStream out = fileSystem.create(temporary, true)) {
      out.write(text.getBytes(StandardCharsets.UTF_8));
    }
    if (fileSystem.exists(target)) {
      fileSystem.delete(target, false);
    }
    if (!fileSystem.rename(temporary, target)) {
      throw new IOException("Cannot move " + temporary + " to " + target);
    }
  }

  /** Where the run keeps its best adapter. */
  public Path bestAdapter() {
    return path("adapter");
  }

  /** Where a file of the run is. */
  public Path path(String name) {
    return new Path(directory, name);
  }

  /** Its path with the file system that has it. */
  public Path qualified() {
    return fileSystem.makeQualified(directory);
  }

  @Override
  public String toString() {
    return directory.toString();
  }
}
