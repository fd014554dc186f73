package io.guilomo.spark.checkpoint;

import static io.guilomo.spark.checkpoint.CheckpointDirectory.CONFIGURATION;
import static io.guilomo.spark.checkpoint.CheckpointDirectory.MANIFEST;
import static io.guilomo.spark.checkpoint.CheckpointDirectory.PARAMETERS;
import static io.guilomo.spark.checkpoint.CheckpointDirectory.PROGRESS;
import static io.guilomo.spark.checkpoint.CheckpointDirectory.TENSORS;
import static io.guilomo.spark.checkpoint.CheckpointDirectory.UPDATER_STATE;

import io.guilomo.io.ContentDigest;
import io.guilomo.io.SafetensorsFile;
import io.guilomo.model.UserException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.ChecksumException;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Reads one checkpoint; refuses one of which any byte differs from its manifest. */
final class CheckpointReader {

  private static final int MAX_TEXT_BYTES = 64 << 20;
  private static final Set<String> NAMES = Set.of(TENSORS, PROGRESS, CONFIGURATION);

  private final Path directory;
  private final Configuration conf;
  private final FileSystem files;

  CheckpointReader(Path directory, Configuration conf) throws IOException {
    this.directory = directory;
    this.conf = conf;
    this.files = directory.getFileSystem(conf);
  }

  /**
   * @throws UserException for a checkpoint that is not whole
   */
  Checkpoint read() throws IOException {
    try {
      return readChecked();
    } catch (ChecksumException e) {
      throw refused(e.getMessage());
    }
  }

  private Checkpoint readChecked() throws IOException {
    CheckpointManifest manifest =
        CheckpointManifest.fromJson(path(MANIFEST).toString(), text(MANIFEST));
    long named = CheckpointDirectory.round(directory);
    if (named >= 0 && named != manifest.round()) {
      throw refused("its manifest says round " + manifest.round());
    }
    Map<String, CheckpointManifest.Entry> entries = new HashMap<>();
    for (CheckpointManifest.Entry entry : manifest.files()) {
      entries.put(entry.name(), entry);
    }
    if (!entries.keySet().equals(NAMES)) {
      throw refused("its manifest names the files " + entries.keySet());
    }
    for (CheckpointManifest.Entry entry : entries.values()) {
      check(entry);
    }
    try (SafetensorsFile state = SafetensorsFile.open(path(TENSORS), conf)) {
      return new Checkpoint(
          manifest.round(),
          manifest.step(),
          manifest.network(),
          vector(state, PARAMETERS),
          vector(state, UPDATER_STATE),
          text(PROGRESS),
          text(CONFIGURATION));
    }
  }

  private void check(CheckpointManifest.Entry entry) throws IOException {
    Path path = path(entry.name());
    if (!files.exists(path)) {
      throw refused("it has no " + entry.name());
    }
    long bytes = files.getFileStatus(path).getLen();
    if (bytes != entry.bytes()) {
      throw refused(
          String.format(
              "%s has %d bytes, its manifest says %d", entry.name(), bytes, entry.bytes()));
    }
    if (!ContentDigest.sha256(files, path).equals(entry.sha256())) {
      throw refused("the sha256 of " + entry.name() + " is not what its manifest says");
    }
  }

  private INDArray vector(SafetensorsFile state, String name) throws IOException {
    if (!state.names().contains(name) || state.shape(name).length != 1) {
      throw refused("it has no vector " + name);
    }
    return state.read(name);
  }

  private String text(String name) throws IOException {
    Path path = path(name);
    if (!files.exists(path)) {
      throw refused("it has no " + name);
    }
    long bytes = files.getFileStatus(path).getLen();
    if (bytes > MAX_TEXT_BYTES) {
      throw refused(String.format("%s has %d bytes, maximum is %d", name, bytes, MAX_TEXT_BYTES));
    }
    try (FSDataInputStream in = files.open(path)) {
      return new String(in.readNBytes((int) bytes), StandardCharsets.UTF_8);
    }
  }

  private Path path(String name) {
    return new Path(directory, name);
  }

  private UserException refused(String why) {
    return new UserException("Cannot read the checkpoint " + directory + ": " + why);
  }
}
