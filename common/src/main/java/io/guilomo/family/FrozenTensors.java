package io.guilomo.family;

import io.guilomo.io.FloatSink;
import io.guilomo.kernel.FrozenMatrix;
import io.guilomo.kernel.QuantizedMatrix;
import io.guilomo.kernel.QuantizedRows;
import io.guilomo.kernel.RoundingError;
import io.guilomo.model.UserException;
import io.guilomo.network.Backbone;
import io.guilomo.network.BackboneConfig;
import io.guilomo.network.PretrainedClassifier;
import io.guilomo.network.WeightErrors;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Reads the tensors that a backbone needs, checked against the shapes its configuration asks for,
 * and digests what was read: sha256 over name, shape and stored bytes of each tensor in the order
 * of reading. Weights of another type, such as float16 for float32, have another digest; in other
 * shards or another directory they have the same.
 */
public final class FrozenTensors {

  private final Source source;
  private final ReadMode mode;
  private final FrozenMemory memory;
  private final MessageDigest digest;
  private final Map<String, FrozenMatrix> matrices = new HashMap<>();
  private final Map<String, INDArray> vectors = new HashMap<>();
  private PretrainedClassifier classifier;
  private WeightErrors errors = WeightErrors.NONE;

  /** How much is read of the tensors. */
  enum ReadMode {
    /** Names and shapes are checked. */
    SHAPES,
    /** What the digest needs. */
    DIGEST,
    /** Where a classifier can start, beside names and shapes. */
    CLASSIFIER,
    /** What rounding to 8 bits loses of the matrices. */
    ERRORS,
    /** Everything. */
    VALUES
  }

  /**
   * One tensor of a fused array.
   *
   * @param name in the base model, with or without its {@code base_model_prefix}, or the full name
   *     of a tensor of a head; digests depend on it, so a family never asks for it in another way
   * @param shape {@code [n]} or {@code [rows, columns]}
   */
  public record Piece(String name, long... shape) {}

  /** Where tensors come from: files, or values that are made up. */
  @FunctionalInterface
  public interface Source {

    /** Fills all of {@code target}; {@code digest} sees the bytes as they are stored. */
    void read(Piece piece, FloatSink target, MessageDigest digest) throws IOException;

    /** Updates {@code digest} with the bytes that reading the tensor would feed it. */
    default void digest(Piece piece, MessageDigest digest) throws IOException {}

    /** Whether the values are stored as float16. */
    default boolean half(Piece piece) throws IOException {
      return false;
    }

    /** Throws if the source lacks the tensor. */
    default void check(Piece piece) throws IOException {}
  }

  /**
   * @param memory for the values; unused in another mode
   */
  FrozenTensors(Source source, ReadMode mode, FrozenMemory memory) {
    this.source = source;
    this.mode = mode;
    this.memory = memory;
    try {
      this.digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * Reads a tensor.
   *
   * @param part the name by which the parts of the network ask for it
   * @param name and {@code shape} as of a {@link Piece}
   */
  public void read(String part, String name, long... shape) throws IOException {
    read(part, new Piece(name, shape));
  }

  /**
   * Reads tensors into one array, stacked along their first dimension, so that one product computes
   * the linear modules that read the same input.
   *
   * @param part the name by which the parts of the network ask for the array
   */
  public void read(String part, Piece... pieces) throws IOException {
    read(part, 0, pieces);
  }

  /**
   * Reads the weight {@code w [size]} of a norm that multiplies by {@code 1 + w}, as Gemma's do.
   */
  public void readPlusOne(String part, String name, long size) throws IOException {
    read(part, 1, new Piece(name, size));
  }

  /** Makes a zero vector, such as the bias of a norm that has none. */
  public void zeros(String part, long size) {
    if (mode == ReadMode.VALUES) {
      INDArray vector = memory.vector(size);
      vectors.put(part, vector);
      memory.kernels().fill(vector, 0);
    }
  }

  /**
   * @param added to every value of a vector
   */
  private void read(String part, int added, Piece... pieces) throws IOException {
    for (Piece piece : pieces) {
      source.check(piece);
    }
    if (mode == ReadMode.DIGEST) {
      for (Piece piece : pieces) {
        begin(piece);
        source.digest(piece, digest);
      }
    } else if (mode == ReadMode.VALUES) {
      long rows = Arrays.stream(pieces).mapToLong(piece -> piece.shape()[0]).sum();
      if (pieces[0].shape().length > 1) {
        FrozenMatrix matrix = memory.matrix(rows, pieces[0].shape()[1], half(pieces));
        matrices.put(part, matrix);
        if (matrix instanceof QuantizedMatrix quantized) {
          fillRounded(pieces, matrix::put, quantized::error);
        } else {
          fill(pieces, matrix::put);
        }
      } else {
        INDArray vector = memory.vector(rows);
        vectors.put(part, vector);
        FloatSink sink = memory.sink(vector);
        fill(pieces, added == 0 ? sink : plus(added, sink));
      }
    } else if (mode == ReadMode.ERRORS && pieces[0].shape().length > 1) {
      QuantizedRows rows =
          new QuantizedRows(Math.toIntExact(pieces[0].shape()[1]), (row, elements, scale) -> {});
      fillRounded(pieces, (position, values, count) -> rows.put(values, count), rows::error);
    }
  }

  /**
   * @param total error of all that {@code target} has rounded
   */
  private void fillRounded(Piece[] pieces, FloatSink target, Supplier<RoundingError> total)
      throws IOException {
    long filled = 0;
    for (Piece piece : pieces) {
      RoundingError before = total.get();
      filled += fill(piece, filled, finite(piece, target));
      errors = errors.plus(piece.name(), total.get().minus(before));
    }
  }

  private static FloatSink finite(Piece piece, FloatSink target) {
    return (position, values, count) -> {
      for (int i = 0; i < count; i++) {
        if (!Float.isFinite(values[i])) {
          throw new UserException(
              "Cannot keep tensor %s as int8: it has the value %s; set model.precision=float32",
              piece.name(), values[i]);
        }
      }
      target.put(position, values, count);
    };
  }

  /** Whether all are stored as float16. */
  private boolean half(Piece... pieces) throws IOException {
    for (Piece piece : pieces) {
      if (!source.half(piece)) {
        return false;
      }
    }
    return true;
  }

  /**
   * Reads where a network's classifier can start. The digest does not see it: whatever a network
   * has learned, it has a classifier of its own.
   *
   * @param weight {@code [classes, hidden]}
   * @param bias {@code [classes]}; null for zeros
   */
  public void readClassifier(Piece weight, Piece bias) throws IOException {
    source.check(weight);
    if (bias != null) {
      source.check(bias);
    }
    if (mode == ReadMode.VALUES || mode == ReadMode.CLASSIFIER) {
      int classes = Math.toIntExact(weight.shape()[0]);
      classifier =
          new PretrainedClassifier(
              values(weight), bias == null ? new float[classes] : values(bias));
    }
  }

  private float[] values(Piece piece) throws IOException {
    long length = Arrays.stream(piece.shape()).reduce(1, Math::multiplyExact);
    float[] all = new float[Math.toIntExact(length)];
    source.read(
        piece,
        (position, values, count) -> System.arraycopy(values, 0, all, (int) position, count),
        null);
    return all;
  }

  private static FloatSink plus(int added, FloatSink sink) {
    return (position, values, count) -> {
      float[] sums = new float[count];
      for (int i = 0; i < count; i++) {
        sums[i] = values[i] + added;
      }
      sink.put(position, sums, count);
    };
  }

  /** Has parts of the network find a matrix under a second name. */
  public void alias(String part, String read) {
    if (mode == ReadMode.VALUES) {
      matrices.put(part, matrices.get(read));
    }
  }

  private void fill(Piece[] pieces, FloatSink target) throws IOException {
    long filled = 0;
    for (Piece piece : pieces) {
      filled += fill(piece, filled, target);
    }
  }

  /**
   * @param offset of the piece in the array
   * @return how many elements it has
   */
  private long fill(Piece piece, long offset, FloatSink target) throws IOException {
    begin(piece);
    source.read(
        piece, (position, values, count) -> target.put(offset + position, values, count), digest);
    return Arrays.stream(piece.shape()).reduce(1, Math::multiplyExact);
  }

  private void begin(Piece piece) {
    digest.update(
        (piece.name() + Arrays.toString(piece.shape()) + '\n').getBytes(StandardCharsets.UTF_8));
  }

  /** Frees the memory of all tensors, of a model whose reading failed. */
  void release() {
    Set<FrozenMatrix> distinct = Collections.newSetFromMap(new IdentityHashMap<>());
    distinct.addAll(matrices.values());
    distinct.forEach(matrix -> memory.kernels().release(matrix));
    vectors.values().forEach(vector -> memory.kernels().release(vector));
    matrices.clear();
    vectors.clear();
  }

  /** What was read, with its digest; has no tensors unless values were read. Ends the reading. */
  Backbone backbone(BackboneConfig config) {
    return new Backbone(
        config, HexFormat.of().formatHex(digest.digest()), matrices, vectors, classifier, errors);
  }
}
