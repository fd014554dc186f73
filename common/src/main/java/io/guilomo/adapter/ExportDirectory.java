package io.guilomo.adapter;

import io.guilomo.adapter.AdapterFormat.ExportedAdapter;
import io.guilomo.io.SafetensorsWriter;
import io.guilomo.model.UserException;
import java.io.Closeable;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Predicate;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Where an export writes. Files are written under names that begin with {@code _}, and get their
 * own when all are complete; those of an earlier export stay until then. The last file that is
 * written is the last to get its name: without it, programs do not take the directory for an
 * export.
 */
final class ExportDirectory implements Closeable {

  /** The name that both the released code and PEFT give the tensors. */
  static final String TENSORS = "adapter_model.safetensors";

  private final Path directory;
  private final Configuration conf;
  private final FileSystem fileSystem;
  private final List<String> staged = new ArrayList<>();

  ExportDirectory(Path directory, Configuration conf) throws IOException {
    this.directory = directory;
    this.conf = conf;
    this.fileSystem = directory.getFileSystem(conf);
    if (fileSystem.exists(directory) && !fileSystem.getFileStatus(directory).isDirectory()) {
      throw new UserException("Cannot export to " + directory + ": it is a file");
    }
    fileSystem.mkdirs(directory);
  }

  /** Whether this is the other directory, whatever the two are called: as through a link. */
  boolean is(Path other) throws IOException {
    Path probe = temporary("guilomo-probe-" + UUID.randomUUID());
    fileSystem.create(probe, false).close();
    try {
      return other.getFileSystem(conf).exists(new Path(other, probe.getName()));
    } finally {
      fileSystem.delete(probe, false);
    }
  }

  /** Where a file is to be written that will have this name. */
  Path stage(String name) {
    staged.add(name);
    return temporary(name);
  }

  void write(Map<String, INDArray> tensors) throws IOException {
    // Hugging Face's libraries ask for this entry.
    SafetensorsWriter.write(stage(TENSORS), conf, tensors, Map.of("format", "pt"));
  }

  OutputStream create(String name) throws IOException {
    return fileSystem.create(stage(name), true);
  }

  void write(String name, String text) throws IOException {
    try (OutputStream out = create(name)) {
      out.write(text.getBytes(StandardCharsets.UTF_8));
    }
  }

  ExportedAdapter commit(int largestRank) throws IOException {
    return commit(largestRank, name -> false);
  }

  /**
   * Gives all files their names.
   *
   * @param obsolete names of files that must not stay beside them
   */
  ExportedAdapter commit(int largestRank, Predicate<String> obsolete) throws IOException {
    fileSystem.delete(file(staged.get(staged.size() - 1)), false);
    for (FileStatus other : fileSystem.listStatus(directory)) {
      if (other.isFile() && obsolete.test(other.getPath().getName())) {
        fileSystem.delete(other.getPath(), false);
      }
    }
    List<Path> files = new ArrayList<>();
    for (String name : staged) {
      fileSystem.delete(file(name), false);
      if (!fileSystem.rename(temporary(name), file(name))) {
        throw new IOException("Cannot move " + temporary(name) + " to " + file(name));
      }
      files.add(file(name));
    }
    staged.clear();
    return new ExportedAdapter(files, largestRank);
  }

  private Path file(String name) {
    return new Path(directory, name);
  }

  private Path temporary(String name) {
    return new Path(directory, "_" + name);
  }

  /** Removes what was written and is not complete. */
  @Override
  public void close() throws IOException {
    for (String name : staged) {
      fileSystem.delete(temporary(name), false);
    }
  }
}
