package io.guilomo.spark.checkpoint;

import io.guilomo.io.ContentDigest;
import io.guilomo.io.SafetensorsFile;
import io.guilomo.io.SafetensorsWriter;
import io.guilomo.model.UserException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.ChecksumException;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The checkpoints of one training, one directory each. One is written to a hidden directory, its
 * manifest last, verified there, and renamed; only then older ones are removed. Where a file system
 * renames directories file by file, as object stores do, the manifest is what makes it count: a
 * checkpoint whose files are not all as the manifest says is passed over.
 */
public final class CheckpointDirectory {

  private static final String TENSORS = "state.safetensors";
  private static final String PROGRESS = "progress.json";
  private static final String CONFIGURATION = "configuration.json";
  private static final String MANIFEST = "manifest.json";
  private static final String PARAMETERS = "parameters";
  private static final String UPDATER_STATE = "updater-state";

  private static final int MAX_TEXT_BYTES = 64 << 20;
  private static final Set<String> NAMES = Set.of(TENSORS, PROGRESS, CONFIGURATION);
  private static final String TEMPORARY = "_temporary-";
  private static final Pattern NAME = Pattern.compile("round-(\\d{8,18})");

  private final Path root;
  private final Configuration conf;
  private final FileSystem files;
  private final int keep;

  /**
   * @param keep newest checkpoints that stay
   */
  public CheckpointDirectory(Path root, Configuration conf, int keep) throws IOException {
    this.root = root;
    this.conf = conf;
    this.files = root.getFileSystem(conf);
    this.keep = keep;
  }

  /**
   * Writes a checkpoint. If this fails the earlier ones are left unchanged.
   *
   * @throws IOException if it cannot be written, or is not read back as it was written
   */
  public void write(Checkpoint checkpoint) throws IOException {
    String name = String.format(Locale.ROOT, "round-%08d", checkpoint.round());
    Path temporary = new Path(root, TEMPORARY + name);
    try {
      files.delete(temporary, true);
      files.mkdirs(temporary);
      Map<String, INDArray> tensors = new LinkedHashMap<>();
      tensors.put(PARAMETERS, checkpoint.parameters().reshape(checkpoint.parameters().length()));
      tensors.put(
          UPDATER_STATE, checkpoint.updaterState().reshape(checkpoint.updaterState().length()));
      SafetensorsWriter.write(new Path(temporary, TENSORS), conf, tensors, Map.of());
      write(new Path(temporary, PROGRESS), checkpoint.progress());
      write(new Path(temporary, CONFIGURATION), checkpoint.configuration());
      List<CheckpointManifest.Entry> entries = new ArrayList<>();
      for (String file : List.of(CONFIGURATION, PROGRESS, TENSORS)) {
        Path path = new Path(temporary, file);
        entries.add(
            new CheckpointManifest.Entry(
                file, files.getFileStatus(path).getLen(), ContentDigest.sha256(files, path)));
      }
      write(
          new Path(temporary, MANIFEST),
          new CheckpointManifest(
                  checkpoint.round(), checkpoint.step(), checkpoint.network(), entries)
              .toJson());
      verify(temporary, checkpoint);
      Path place = new Path(root, name);
      files.delete(place, true);
      if (!files.rename(temporary, place)) {
        throw new IOException("Cannot move " + temporary + " to " + place);
      }
    } catch (IOException | RuntimeException e) {
      discard(temporary);
      throw e;
    }
    int kept = 0;
    for (Path path : newestFirst()) {
      // A checkpoint with a higher round must be damaged, or training would have resumed from it.
      if (round(path) > checkpoint.round() || ++kept > keep) {
        files.delete(path, true);
      }
    }
  }

  private void verify(Path directory, Checkpoint written) throws IOException {
    Checkpoint read = read(directory);
    if (!same(read.parameters(), written.parameters())
        || !same(read.updaterState(), written.updaterState())) {
      throw new IOException("Cannot verify " + directory + ": other values than were written");
    }
  }

  /** Overwrites {@code read}. ND4J's own equality has a tolerance. */
  private static boolean same(INDArray read, INDArray written) {
    return read.length() == written.length()
        && read.subi(written.reshape(written.length())).amaxNumber().doubleValue() == 0;
  }

  private void write(Path path, String text) throws IOException {
    try (OutputStream out = files.create(path, true)) {
      out.write(text.getBytes(StandardCharsets.UTF_8));
    }
  }

  private void discard(Path temporary) {
    try {
      files.delete(temporary, true);
    } catch (IOException e) {
      // What is left is hidden, and removed before the next attempt to write the same round.
    }
  }

  /**
   * The newest checkpoint that is whole; empty where there is none.
   *
   * @param passedOver receives a line about each newer one that is not
   */
  public Optional<Checkpoint> newest(Consumer<String> passedOver) throws IOException {
    for (Path path : newestFirst()) {
      try {
        return Optional.of(read(path));
      } catch (UserException e) {
        passedOver.accept(e.getMessage());
      }
    }
    return Optional.empty();
  }

  private List<Path> newestFirst() throws IOException {
    try {
      return Arrays.stream(files.listStatus(root))
          .map(FileStatus::getPath)
          .filter(path -> round(path) >= 0)
          .sorted(Comparator.comparingLong(CheckpointDirectory::round).reversed())
          .toList();
    } catch (FileNotFoundException e) {
      return List.of();
    }
  }

  /** Round in the name of a checkpoint's directory; -1 for other names. */
  private static long round(Path path) {
    Matcher matcher = NAME.matcher(path.getName());
    return matcher.matches() ? Long.parseLong(matcher.group(1)) : -1;
  }

  @Override
  public String toString() {
    return root.toString();
  }

  /**
   * @throws UserException for a checkpoint that is not whole
   */
  Checkpoint read(Path directory) throws IOException {
    return new Reader(directory).read();
  }

  /** Reads one checkpoint; refuses one of which any byte differs from its manifest. */
  private final class Reader {

    private final Path directory;

    Reader(Path directory) {
      this.directory = directory;
    }

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
      long named = round(directory);
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
}
