package io.guilomo.adapter;

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
  }

  /** Whether this is the other directory, even under another path, such as a symbolic link. */
  boolean is(Path other) throws IOException {
    if (!fileSystem.exists(directory)) {
      return false;
    }
    Path probe = temporary("guilomo-probe-" + UUID.randomUUID());
    fileSystem.create(probe, false).close();
    try {
      return other.getFileSystem(conf).exists(new Path(other, probe.getName()));
    } finally {
      fileSystem.delete(probe, false);
    }
  }

  /** Whether a file is there whose name is such. */
  boolean has(Predicate<String> name) throws IOException {
    return !files(name).isEmpty();
  }

  private List<Path> files(Predicate<String> name) throws IOException {
    List<Path> files = new ArrayList<>();
    if (fileSystem.exists(directory)) {
      for (FileStatus file : fileSystem.listStatus(directory)) {
        if (file.isFile() && name.test(file.getPath().getName())) {
          files.add(file.getPath());
        }
      }
    }
    return files;
  }

  /** Whether an earlier export left its model card. */
  boolean hasOwnCard() throws IOException {
    return ModelCard.in(directory, conf).filter(ModelCard::isOwn).isPresent();
  }

  /**
   * @throws UserException if there is a {@code README.md} of other origin
   */
  void requireNoOtherCard() throws IOException {
    if (ModelCard.in(directory, conf).isPresent() && !hasOwnCard()) {
      throw new UserException(
          "Cannot write the model card %s: a README.md that guilomo did not write is there; name"
              + " another directory",
          file(ModelCard.FILE));
    }
  }

  /**
   * Writes a model card, which must not be the last file.
   *
   * @throws UserException if there is a {@code README.md} of other origin
   */
  void write(ModelCard card) throws IOException {
    requireNoOtherCard();
    write(ModelCard.FILE, card.text());
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

  List<Path> commit() throws IOException {
    return commit(name -> false);
  }

  /**
   * Gives all files their names.
   *
   * @param obsolete names of files that must not stay beside them
   * @return the files in the order in which they were written
   */
  List<Path> commit(Predicate<String> obsolete) throws IOException {
    List<String> names = List.copyOf(staged);
    List<Path> old = files(obsolete);
    // The earlier files go: from here on, close() must not remove the new ones.
    staged.clear();
    fileSystem.delete(file(names.get(names.size() - 1)), false);
    for (Path file : old) {
      fileSystem.delete(file, false);
    }
    for (String name : names) {
      fileSystem.delete(file(name), false);
      if (!fileSystem.rename(temporary(name), file(name))) {
        throw new IOException(
            "Cannot move %s to %s; the finished files begin with _ in %s"
                .formatted(temporary(name), file(name), directory));
      }
    }
    return names.stream().map(this::file).toList();
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
