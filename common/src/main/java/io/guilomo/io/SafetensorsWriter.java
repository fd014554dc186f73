package io.guilomo.io;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Writes safetensors files. The same tensors in the same order give the same bytes. */
public final class SafetensorsWriter {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int BLOCK = 1 << 18;
  private static final int ALIGNMENT = 8;

  private SafetensorsWriter() {}

  /**
   * Replaces the file at {@code path}; all tensors become of type F32.
   *
   * @param tensors of any floating-point type and memory order, written in the order of the map
   * @param metadata arbitrary strings, written in the order of their keys; may be empty
   * @throws IllegalArgumentException if a tensor is not of a floating-point type
   */
  public static void write(
      Path path, Configuration conf, Map<String, INDArray> tensors, Map<String, String> metadata)
      throws IOException {
    List<StoredTensor> stored = new ArrayList<>();
    tensors.forEach(
        (name, tensor) -> {
          if (!tensor.dataType().isFPType()) {
            throw new IllegalArgumentException(
                "Cannot write %s: tensor %s has type %s, which is not a floating-point type"
                    .formatted(path, name, tensor.dataType()));
          }
          stored.add(
              new StoredTensor(
                  name, TensorType.F32, tensor.shape(), out -> writeValues(tensor, out)));
        });
    write(path, conf, stored, metadata);
  }

  /**
   * Replaces the file at {@code path}. At most one tensor is in memory at a time.
   *
   * @param tensors written in the order of the list
   * @param metadata arbitrary strings, written in the order of their keys; may be empty
   */
  public static void write(
      Path path, Configuration conf, List<StoredTensor> tensors, Map<String, String> metadata)
      throws IOException {
    byte[] header = header(path, tensors, metadata);
    try (OutputStream out = new BufferedOutputStream(path.getFileSystem(conf).create(path, true))) {
      out.write(
          ByteBuffer.allocate(Long.BYTES)
              .order(ByteOrder.LITTLE_ENDIAN)
              .putLong(header.length)
              .array());
      out.write(header);
      for (StoredTensor tensor : tensors) {
        tensor.content().write(out);
      }
    }
  }

  private static byte[] header(Path path, List<StoredTensor> tensors, Map<String, String> metadata)
      throws IOException {
    ObjectNode root = JSON.createObjectNode();
    if (!metadata.isEmpty()) {
      ObjectNode node = root.putObject("__metadata__");
      new TreeMap<>(metadata).forEach(node::put);
    }
    long end = 0;
    for (StoredTensor tensor : tensors) {
      if (tensor.name().equals("__metadata__")) {
        throw new IllegalArgumentException(
            "Cannot write %s: no tensor can be called __metadata__".formatted(path));
      }
      ObjectNode node = root.putObject(tensor.name()).put("dtype", tensor.type().name());
      Arrays.stream(tensor.shape()).forEach(node.putArray("shape")::add);
      long begin = end;
      end += tensor.bytes();
      node.putArray("data_offsets").add(begin).add(end);
    }
    byte[] json = JSON.writeValueAsBytes(root);
    byte[] padded = Arrays.copyOf(json, (json.length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
    Arrays.fill(padded, json.length, padded.length, (byte) ' ');
    return padded;
  }

  private static void writeValues(INDArray tensor, OutputStream out) throws IOException {
    if (tensor.isEmpty()) {
      return;
    }
    int block = (int) Math.min(BLOCK, tensor.length());
    ByteBuffer bytes = ByteBuffer.allocate(block * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    float[] values = new float[block];
    try (MemoryWorkspace ignored = Nd4j.getMemoryManager().scopeOutOfWorkspaces()) {
      INDArray floats = tensor.castTo(DataType.FLOAT);
      FloatMemory memory = FloatMemory.of(FloatMemory.rowMajor(floats) ? floats : floats.dup('c'));
      for (long done = 0; done < tensor.length(); ) {
        int count = (int) Math.min(block, tensor.length() - done);
        memory.get(done, values, count);
        TensorType.F32.encode(values, count, bytes);
        out.write(bytes.array(), 0, count * Float.BYTES);
        done += count;
      }
    }
  }
}
