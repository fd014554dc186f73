package io.guilomo.io;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/**
 * The weights of a checkpoint in Hugging Face's layout: {@code model.safetensors}, or shards of
 * limited size and {@code model.safetensors.index.json}.
 */
public final class SafetensorsShards {

  private static final Pattern NAMES =
      Pattern.compile("model(-\\d{5}-of-\\d{5})?\\.safetensors(\\.index\\.json)?");

  private final List<List<StoredTensor>> shards;

  private SafetensorsShards(List<List<StoredTensor>> shards) {
    this.shards = shards;
  }

  /** Where a file of a name is written. */
  @FunctionalInterface
  public interface Files {
    Path file(String name) throws IOException;
  }

  /** Whether a file of this name would be read as weights of a checkpoint. */
  public static boolean isWeights(String name) {
    return NAMES.matcher(name).matches();
  }

  /**
   * Divides tensors, in their order, among as few shards as do not exceed {@code most} bytes of
   * values; a larger tensor has a shard of its own.
   */
  public static SafetensorsShards of(List<StoredTensor> tensors, long most) {
    List<List<StoredTensor>> shards = new ArrayList<>();
    long size = 0;
    for (StoredTensor tensor : tensors) {
      if (shards.isEmpty() || size + tensor.bytes() > most) {
        shards.add(new ArrayList<>());
        size = 0;
      }
      shards.get(shards.size() - 1).add(tensor);
      size += tensor.bytes();
    }
    return new SafetensorsShards(shards);
  }

  /** Writes all files, one tensor after the other. */
  public void write(Files files, Configuration conf) throws IOException {
    // Hugging Face's libraries ask for this entry.
    Map<String, String> metadata = Map.of("format", "pt");
    if (shards.size() == 1) {
      SafetensorsWriter.write(files.file(SafetensorsModel.SINGLE), conf, shards.get(0), metadata);
      return;
    }
    Map<String, String> fileByTensor = new TreeMap<>();
    long total = 0;
    for (int i = 0; i < shards.size(); i++) {
      String name =
          String.format(Locale.ROOT, "model-%05d-of-%05d.safetensors", i + 1, shards.size());
      SafetensorsWriter.write(files.file(name), conf, shards.get(i), metadata);
      for (StoredTensor tensor : shards.get(i)) {
        fileByTensor.put(tensor.name(), name);
        total += tensor.bytes();
      }
    }
    ObjectMapper mapper = new ObjectMapper();
    ObjectNode index = mapper.createObjectNode();
    index.putObject("metadata").put("total_size", total);
    fileByTensor.forEach(index.putObject("weight_map")::put);
    Path path = files.file(SafetensorsModel.INDEX);
    try (OutputStream out = path.getFileSystem(conf).create(path, true)) {
      String text = mapper.writer(new IndentedJson(2)).writeValueAsString(index) + "\n";
      out.write(text.getBytes(StandardCharsets.UTF_8));
    }
  }
}
