package io.guilomo.io;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.guilomo.model.UserException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.UnsupportedFileSystemException;

/**
 * The directory of a pretrained model, on any file system that Hadoop supports.
 *
 * @param files lengths in bytes by name
 */
public record ModelDirectory(Path path, Configuration conf, SortedMap<String, Long> files) {

  public static final String CONFIG = "config.json";

  private static final long MAX_JSON = 64L << 20;
  private static final ObjectMapper JSON =
      new ObjectMapper()
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY);

  /**
   * @throws UserException if the directory does not exist
   */
  public static ModelDirectory open(String uri, Configuration conf) throws IOException {
    SortedMap<String, Long> files = new TreeMap<>();
    try {
      Path path = new Path(uri);
      FileStatus status = path.getFileSystem(conf).getFileStatus(path);
      if (!status.isDirectory()) {
        throw refuse(uri, "it is a file, not a directory with a model");
      }
      for (FileStatus file : path.getFileSystem(conf).listStatus(path)) {
        if (file.isFile()) {
          files.put(file.getPath().getName(), file.getLen());
        }
      }
      return new ModelDirectory(path, conf, files);
    } catch (FileNotFoundException e) {
      throw refuse(uri, "there is no such directory");
    } catch (UnsupportedFileSystemException e) {
      throw refuse(uri, e.getMessage());
    } catch (UserException e) {
      throw e;
    } catch (IllegalArgumentException e) {
      throw refuse(
          uri.isBlank() ? "a model" : uri, "its path is not valid (" + e.getMessage() + ")");
    }
  }

  public boolean has(String name) {
    return files.containsKey(name);
  }

  public Path file(String name) {
    return new Path(path, name);
  }

  /** Names that end in {@code suffix}, sorted. */
  public List<String> endingIn(String suffix) {
    return files.keySet().stream().filter(name -> name.endsWith(suffix)).toList();
  }

  /** The contents of a small file, at most 64 MiB. */
  byte[] bytes(String name) throws IOException {
    long length = files.get(name);
    if (length > MAX_JSON) {
      throw SafetensorsHeader.refuse(
          file(name), "it has %s bytes, more than %s".formatted(length, MAX_JSON));
    }
    byte[] bytes = new byte[(int) length];
    try (FSDataInputStream in = path.getFileSystem(conf).open(file(name))) {
      in.readFully(bytes);
    }
    LfsPointer.refuse(file(name), bytes);
    return bytes;
  }

  public JsonNode json(String name) throws IOException {
    return object(bytes(name), file(name));
  }

  static JsonNode object(byte[] json, Object file) throws IOException {
    try {
      JsonNode node = JSON.readTree(json);
      if (!node.isObject()) {
        throw SafetensorsHeader.refuse(file, "it is not a JSON object");
      }
      return node;
    } catch (JsonProcessingException e) {
      throw SafetensorsHeader.refuse(file, "it is not JSON (" + e.getOriginalMessage() + ")");
    }
  }

  /** The weights, whatever files they are in; pickle files are never read. */
  public TensorSource tensors() throws IOException {
    if (has(SafetensorsModel.SINGLE)) {
      return SafetensorsModel.single(this);
    }
    if (has(SafetensorsModel.INDEX)) {
      return SafetensorsModel.sharded(this);
    }
    return onnx();
  }

  /** {@code model.onnx}, or the only ONNX file. */
  public OnnxModel onnx() throws IOException {
    List<String> files = has(OnnxModel.FILE) ? List.of(OnnxModel.FILE) : endingIn(".onnx");
    if (files.size() > 1) {
      throw refuse(
          "it contains several ONNX files (%s), none of them called model.onnx"
              .formatted(String.join(", ", files)));
    }
    return OnnxModel.open(file(files.get(0)), conf);
  }

  public boolean hasSafetensors() {
    return has(SafetensorsModel.SINGLE) || has(SafetensorsModel.INDEX);
  }

  /** Refuses a directory without weights that {@link #tensors} could read. */
  public void requireWeights() throws IOException {
    if (!hasSafetensors() && endingIn(".onnx").isEmpty()) {
      throw withoutWeights();
    }
  }

  private UserException withoutWeights() throws IOException {
    List<String> pickles =
        files.keySet().stream()
            .filter(name -> name.matches("pytorch_model.*\\.bin|.*\\.(pt|pth|ckpt|pkl)"))
            .toList();
    if (!pickles.isEmpty()) {
      return refuse(
          "it contains only pickle files (%s), which are never read; convert them with %s and copy the tokenizer's files"
              .formatted(String.join(", ", pickles), Conversion.of(this).toSafetensors()));
    }
    List<String> ggufs = endingIn(".gguf");
    if (!ggufs.isEmpty()) {
      return refuse(
          "it contains only GGUF files (%s), which are not read; take the model that they were made from, or convert one with %s"
              .formatted(String.join(", ", ggufs), Conversion.of(this).fromGguf(ggufs.get(0))));
    }
    return refuse(
        "it contains neither model.safetensors nor model.safetensors.index.json nor an ONNX file");
  }

  public UserException refuse(String reason) {
    return refuse(path, reason);
  }

  private static UserException refuse(Object path, String reason) {
    return new UserException("Cannot load %s: %s", path, reason);
  }
}
