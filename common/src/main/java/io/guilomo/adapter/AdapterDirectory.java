package io.guilomo.adapter;

import io.guilomo.io.ContentDigest;
import io.guilomo.io.SafetensorsFile;
import io.guilomo.io.SafetensorsWriter;
import io.guilomo.model.UserException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.LongStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.ChecksumException;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * An adapter on disk: {@code adapter.safetensors} and, written last, {@code manifest.json}. A
 * directory without a manifest, or whose tensors do not match it, is not an adapter.
 */
public final class AdapterDirectory {

  static final String TENSORS = "adapter.safetensors";
  static final String MANIFEST = "manifest.json";
  private static final int MAX_MANIFEST_BYTES = 256 << 20;

  private final Path directory;
  private final Configuration conf;
  private final FileSystem files;

  public AdapterDirectory(Path directory, Configuration conf) throws IOException {
    this.directory = directory;
    this.conf = conf;
    this.files = directory.getFileSystem(conf);
  }

  /**
   * Replaces the adapter in the directory. The old files stay until the new ones are complete; a
   * concurrent reader finds the old adapter, none, or the new one.
   */
  public void write(Adapter adapter) throws IOException {
    write(adapter, Optional.empty());
  }

  /** The same with a model card. Returns the files. */
  List<Path> write(Adapter adapter, Optional<ModelCard> card) throws IOException {
    try (ExportDirectory export = new ExportDirectory(directory, conf)) {
      if (card.isPresent()) {
        export.write(card.get());
      }
      Path tensors = export.stage(TENSORS);
      SafetensorsWriter.write(tensors, conf, adapter.tensors(), Map.of("format", "guilomo"));
      AdapterManifest manifest =
          new AdapterManifest(
              adapter.description(),
              ContentDigest.sha256(files, tensors),
              List.copyOf(expected(adapter).values()));
      export.write(MANIFEST, manifest.toJson());
      return export.commit();
    }
  }

  /**
   * What the manifest says of an adapter.
   *
   * @param digest SHA-256 of the tensors' file, hexadecimal; different for every adapter
   */
  public record Summary(AdapterDescription description, String digest) {}

  /**
   * Reads the manifest alone.
   *
   * @throws UserException if the directory has no adapter
   */
  public Summary summary() throws IOException {
    AdapterManifest manifest = AdapterManifest.fromJson(path(MANIFEST).toString(), manifest());
    return new Summary(manifest.description(), manifest.sha256());
  }

  /**
   * Reads the adapter and checks every tensor.
   *
   * @throws UserException if the directory has no complete adapter, or its tensors do not fit its
   *     plan
   */
  public Adapter read() throws IOException {
    try {
      return readChecked();
    } catch (ChecksumException e) {
      throw refused(e.getMessage());
    }
  }

  private Adapter readChecked() throws IOException {
    AdapterManifest manifest = AdapterManifest.fromJson(path(MANIFEST).toString(), manifest());
    Path tensors = path(TENSORS);
    if (!files.exists(tensors)) {
      throw refused("it has no " + TENSORS);
    }
    String digest = ContentDigest.sha256(files, tensors);
    if (!digest.equals(manifest.sha256())) {
      throw refused(
          String.format(
              "the sha256 of %s is %s, the manifest says %s", TENSORS, digest, manifest.sha256()));
    }
    Map<String, INDArray> values = new LinkedHashMap<>();
    try (SafetensorsFile file = SafetensorsFile.open(tensors, conf)) {
      Map<String, AdapterManifest.Entry> expected = check(manifest, shapes(file), file.names());
      for (String name : expected.keySet()) {
        values.put(name, file.read(name));
      }
    }
    return new Adapter(manifest.description(), values);
  }

  private String manifest() throws IOException {
    Path path = path(MANIFEST);
    if (!files.exists(path)) {
      throw refused("it has no " + MANIFEST + ", so it is not an adapter or not a complete one");
    }
    long length = files.getFileStatus(path).getLen();
    if (length > MAX_MANIFEST_BYTES) {
      throw refused(
          String.format("%s has %d bytes, maximum is %d", MANIFEST, length, MAX_MANIFEST_BYTES));
    }
    try (FSDataInputStream in = files.open(path)) {
      return new String(in.readNBytes((int) length), StandardCharsets.UTF_8);
    }
  }

  private static Map<String, List<Long>> shapes(SafetensorsFile file) {
    Map<String, List<Long>> shapes = new LinkedHashMap<>();
    for (String name : file.names()) {
      shapes.put(name, LongStream.of(file.shape(name)).boxed().toList());
    }
    return shapes;
  }

  /** Plan, manifest and file must name the same tensors with the same shapes and scalings. */
  private Map<String, AdapterManifest.Entry> check(
      AdapterManifest manifest, Map<String, List<Long>> shapes, Set<String> names) {
    AdapterDescription description = manifest.description();
    List<Long> classifier = shapes.get(AdapterTensors.CLASSIFIER_WEIGHT);
    long hidden = classifier == null || classifier.size() != 2 ? 0 : classifier.get(1);
    Map<String, AdapterManifest.Entry> expected = AdapterTensors.expected(description, hidden);
    for (AdapterManifest.Entry entry : expected.values()) {
      if (!names.contains(entry.name())) {
        throw refused("tensor " + entry.name() + " is missing");
      }
      if (!shapes.get(entry.name()).equals(entry.shape())) {
        throw refused(
            String.format(
                "tensor %s has shape %s, expected %s",
                entry.name(), shapes.get(entry.name()), entry.shape()));
      }
    }
    for (String name : names) {
      if (!expected.containsKey(name)) {
        throw refused("tensor " + name + " is in no module of the plan");
      }
    }
    if (!List.copyOf(expected.values()).equals(manifest.tensors())) {
      throw refused("the manifest's list of tensors is not that of its plan");
    }
    return expected;
  }

  private static Map<String, AdapterManifest.Entry> expected(Adapter adapter) {
    AdapterDescription description = adapter.description();
    INDArray classifier = adapter.tensors().get(AdapterTensors.CLASSIFIER_WEIGHT);
    return AdapterTensors.expected(description, classifier == null ? 0 : classifier.columns());
  }

  private Path path(String name) {
    return new Path(directory, name);
  }

  private UserException refused(String why) {
    return new UserException("Cannot read the adapter " + directory + ": " + why);
  }

  @Override
  public String toString() {
    return directory.toString();
  }
}
