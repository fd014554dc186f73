package io.guilomo.io;

import static io.guilomo.io.SafetensorsHeader.refuse;

import io.guilomo.model.UserException;
import java.io.Closeable;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A <a href="https://github.com/huggingface/safetensors">safetensors</a> file: the length of the
 * header as eight little-endian bytes, a JSON header, and raw little-endian values. Values are read
 * in blocks, directly into their arrays. Not thread-safe.
 */
public final class SafetensorsFile implements Closeable {

  /** The limit of the format. */
  private static final long MAX_HEADER = 100_000_000;

  private final Path path;
  private final FSDataInputStream in;
  private final long dataStart;
  private final SafetensorsHeader header;
  private final BlockReader blocks;

  private SafetensorsFile(
      Path path, FSDataInputStream in, long dataStart, SafetensorsHeader header) {
    this.path = path;
    this.in = in;
    this.dataStart = dataStart;
    this.header = header;
    this.blocks = new BlockReader(in);
  }

  /**
   * Opens a file and checks its header against its length.
   *
   * @throws UserException if the file does not exist or is not a valid safetensors file
   */
  public static SafetensorsFile open(Path path, Configuration conf) throws IOException {
    FileSystem fs = path.getFileSystem(conf);
    long length = length(fs, path);
    FSDataInputStream in = fs.open(path);
    try {
      byte[] json = headerBytes(path, in, length);
      long dataStart = Long.BYTES + (long) json.length;
      return new SafetensorsFile(
          path, in, dataStart, SafetensorsHeader.parse(json, length - dataStart, path));
    } catch (IOException | RuntimeException e) {
      in.close();
      throw e;
    }
  }

  private static long length(FileSystem fs, Path path) throws IOException {
    try {
      FileStatus status = fs.getFileStatus(path);
      if (status.isDirectory()) {
        throw refuse(path, "it is a directory");
      }
      return status.getLen();
    } catch (FileNotFoundException e) {
      throw refuse(path, "there is no such file");
    }
  }

  private static byte[] headerBytes(Path path, FSDataInputStream in, long length)
      throws IOException {
    if (length < Long.BYTES) {
      throw refuse(path, "it is %s bytes long, shorter than a header".formatted(length));
    }
    byte[] prefix = new byte[Long.BYTES];
    in.readFully(prefix);
    LfsPointer.refuse(path, prefix);
    long headerLength = ByteBuffer.wrap(prefix).order(ByteOrder.LITTLE_ENDIAN).getLong();
    if (headerLength < 0 || headerLength > MAX_HEADER) {
      throw refuse(
          path,
          "its header claims %s bytes, more than %s"
              .formatted(Long.toUnsignedString(headerLength), MAX_HEADER));
    }
    if (headerLength > length - Long.BYTES) {
      throw refuse(
          path, "its header claims %s bytes, the file has %s".formatted(headerLength, length));
    }
    byte[] json = new byte[(int) headerLength];
    in.readFully(json);
    return json;
  }

  /** Names of the tensors, in the order of the header. */
  public Set<String> names() {
    return header.tensors().keySet();
  }

  /** Whether a tensor is stored as float16. */
  boolean half(String name) {
    return tensor(name).type() == TensorType.F16;
  }

  public long[] shape(String name) {
    return tensor(name).shape().clone();
  }

  /** As above, for a tensor whose type can be that of weights. */
  long[] weightShape(String name) {
    return refuseOtherThanWeights(name).shape().clone();
  }

  /** The tensor as it is stored, of whatever type, to be written again. */
  StoredTensor stored(String name) {
    SafetensorsHeader.Tensor tensor = tensor(name);
    return new StoredTensor(
        name,
        tensor.type(),
        tensor.shape().clone(),
        out -> blocks.copy(dataStart + tensor.begin(), tensor.end() - tensor.begin(), out));
  }

  /** The format's name of the element type: {@code F32}, {@code BF16}, {@code I64}, … */
  public String dtype(String name) {
    return tensor(name).type().name();
  }

  public Map<String, String> metadata() {
    return header.metadata();
  }

  /** A weight tensor (F32, F16 or BF16) as float32, row-major, outside all workspaces. */
  public INDArray read(String name) throws IOException {
    refuseOtherThanWeights(name);
    INDArray array = allocate(shape(name));
    readInto(name, array);
    return array;
  }

  /**
   * Reads a weight tensor into {@code target}, a contiguous row-major float32 array with the same
   * number of elements; its shape may differ.
   */
  public void readInto(String name, INDArray target) throws IOException {
    SafetensorsHeader.Tensor tensor = refuseOtherThanWeights(name);
    if (target.length() != tensor.elements()) {
      throw refuse(
          path,
          "tensor %s has shape %s, expected %s"
              .formatted(name, Arrays.toString(tensor.shape()), Arrays.toString(target.shape())));
    }
    if (tensor.elements() > 0) {
      read(name, FloatMemory.of(target), null);
    }
  }

  /** As above; updates {@code digest}, which may be null, with the raw bytes of the file. */
  void read(String name, FloatSink target, MessageDigest digest) throws IOException {
    SafetensorsHeader.Tensor tensor = refuseOtherThanWeights(name);
    blocks.read(dataStart + tensor.begin(), tensor.type(), tensor.elements(), target, digest);
  }

  /** Updates {@code digest} with the raw bytes of a weight tensor. */
  void digest(String name, MessageDigest digest) throws IOException {
    SafetensorsHeader.Tensor tensor = refuseOtherThanWeights(name);
    blocks.digest(dataStart + tensor.begin(), tensor.end() - tensor.begin(), digest);
  }

  /** A float32 array that outlives every workspace. */
  public static INDArray allocate(long... shape) {
    try (MemoryWorkspace ignored = Nd4j.getMemoryManager().scopeOutOfWorkspaces()) {
      if (Arrays.stream(shape).anyMatch(size -> size == 0)) {
        return Nd4j.create(DataType.FLOAT, shape);
      }
      return Nd4j.createUninitialized(DataType.FLOAT, shape, 'c');
    }
  }

  private SafetensorsHeader.Tensor tensor(String name) {
    SafetensorsHeader.Tensor tensor = header.tensors().get(name);
    if (tensor == null) {
      throw refuse(path, "it has no tensor %s".formatted(name));
    }
    return tensor;
  }

  private SafetensorsHeader.Tensor refuseOtherThanWeights(String name) {
    SafetensorsHeader.Tensor tensor = tensor(name);
    if (!tensor.type().weights()) {
      throw refuse(
          path, "tensor %s has dtype %s, expected F32, F16 or BF16".formatted(name, tensor.type()));
    }
    return tensor;
  }

  @Override
  public void close() throws IOException {
    in.close();
  }
}
