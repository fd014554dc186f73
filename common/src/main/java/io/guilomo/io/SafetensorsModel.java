package io.guilomo.io;

import static io.guilomo.io.SafetensorsHeader.refuse;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.security.MessageDigest;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.apache.hadoop.fs.Path;

/**
 * The tensors of {@code model.safetensors}, or of the shards that {@code
 * model.safetensors.index.json} lists.
 */
public final class SafetensorsModel implements TensorSource {

  /** The file of a model that has only one. */
  public static final String SINGLE = "model.safetensors";

  /** What lists the shards of a model and which tensors they have. */
  public static final String INDEX = "model.safetensors.index.json";

  private final ModelDirectory directory;
  private final Map<String, String> fileByTensor;
  private final Map<String, SafetensorsFile> open = new LinkedHashMap<>();

  private SafetensorsModel(ModelDirectory directory, Map<String, String> fileByTensor) {
    this.directory = directory;
    this.fileByTensor = fileByTensor;
  }

  static SafetensorsModel single(ModelDirectory directory) throws IOException {
    SafetensorsFile file = SafetensorsFile.open(directory.file(SINGLE), directory.conf());
    Map<String, String> fileByTensor = new LinkedHashMap<>();
    file.names().forEach(name -> fileByTensor.put(name, SINGLE));
    SafetensorsModel model = new SafetensorsModel(directory, fileByTensor);
    model.open.put(SINGLE, file);
    return model;
  }

  static SafetensorsModel sharded(ModelDirectory directory) throws IOException {
    Path index = directory.file(INDEX);
    JsonNode weightMap = directory.json(INDEX).path("weight_map");
    if (!weightMap.isObject()) {
      throw refuse(index, "it has no weight_map");
    }
    Map<String, String> fileByTensor = new LinkedHashMap<>();
    weightMap
        .fields()
        .forEachRemaining(
            field -> {
              String shard = field.getValue().asText();
              if (!field.getValue().isTextual() || !plain(shard)) {
                throw refuse(
                    index,
                    "tensor %s is in %s, which is not a plain file name"
                        .formatted(field.getKey(), field.getValue()));
              }
              if (!directory.has(shard)) {
                throw refuse(index, "shard %s is not in the directory".formatted(shard));
              }
              fileByTensor.put(field.getKey(), shard);
            });
    return new SafetensorsModel(directory, fileByTensor);
  }

  private static boolean plain(String name) {
    return !name.isEmpty()
        && !name.startsWith(".")
        && name.chars().noneMatch(c -> c == '/' || c == '\\' || c == ':');
  }

  @Override
  public Set<String> names() {
    return fileByTensor.keySet();
  }

  @Override
  public long[] shape(String name) throws IOException {
    return shard(name).weightShape(name);
  }

  @Override
  public boolean half(String name) throws IOException {
    return shard(name).half(name);
  }

  @Override
  public void read(String name, FloatSink target, MessageDigest digest) throws IOException {
    shard(name).read(name, target, digest);
  }

  /** The tensor as it is stored, of whatever type, to be written again while the model is open. */
  public StoredTensor stored(String name) throws IOException {
    return shard(name).stored(name);
  }

  @Override
  public void digest(String name, MessageDigest digest) throws IOException {
    shard(name).digest(name, digest);
  }

  private SafetensorsFile shard(String tensor) throws IOException {
    String name = fileByTensor.get(tensor);
    SafetensorsFile file = open.get(name);
    if (file == null) {
      file = SafetensorsFile.open(directory.file(name), directory.conf());
      open.put(name, file);
    }
    return file;
  }

  @Override
  public void close() throws IOException {
    for (SafetensorsFile file : open.values()) {
      file.close();
    }
  }
}
