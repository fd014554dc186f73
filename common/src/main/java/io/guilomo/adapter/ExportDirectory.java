package io.guilomo.adapter;

import io.guilomo.adapter.AdapterFormat.ExportedAdapter;
import io.guilomo.io.SafetensorsWriter;
import io.guilomo.model.UserException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Where an export writes, and what it has written so far. */
final class ExportDirectory {

  /** The name that both the released code and PEFT give the tensors. */
  static final String TENSORS = "adapter_model.safetensors";

  private final Path directory;
  private final Configuration conf;
  private final FileSystem fileSystem;
  private final List<Path> files = new ArrayList<>();

  ExportDirectory(Path directory, Configuration conf) throws IOException {
    this.directory = directory;
    this.conf = conf;
    this.fileSystem = directory.getFileSystem(conf);
    if (fileSystem.exists(directory) && !fileSystem.getFileStatus(directory).isDirectory()) {
      throw new UserException("Cannot export to " + directory + ": it is a file");
    }
    fileSystem.mkdirs(directory);
  }

  void write(Map<String, INDArray> tensors) throws IOException {
    Path path = new Path(directory, TENSORS);
    // Hugging Face's libraries ask for this entry.
    SafetensorsWriter.write(path, conf, tensors, Map.of("format", "pt"));
    files.add(path);
  }

  void write(String name, String text) throws IOException {
    Path path = new Path(directory, name);
    try (OutputStream out = fileSystem.create(path, true)) {
      out.write(text.getBytes(StandardCharsets.UTF_8));
    }
    files.add(path);
  }

  ExportedAdapter written(int largestRank) {
    return new ExportedAdapter(files, largestRank);
  }
}
