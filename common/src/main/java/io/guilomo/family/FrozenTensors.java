package io.guilomo.family;

import io.guilomo.io.FloatSink;
import io.guilomo.io.ModelDirectory;
import io.guilomo.io.TensorSource;
import io.guilomo.kernel.FrozenMatrix;
import io.guilomo.network.Backbone;
import io.guilomo.network.BackboneConfig;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Reads the tensors that a backbone needs, checked against the shapes its configuration asks for,
 * and digests what was read: sha256 over name, shape and stored bytes of each tensor in the order
 * of reading. Weights of another type, such as float16 for float32, have another digest; in other
 * shards or another directory they have the same.
 */
public final class FrozenTensors {

  private final Source source;
  private final Extent extent;
  private final FrozenMemory memory;
  private final MessageDigest digest;
  private final Map<String, FrozenMatrix> matrices = new HashMap<>();
  private final Map<String, INDArray> vectors = new HashMap<>();

  /** How much is read of the tensors. */
  enum Extent {
    /** Names and shapes are checked. */
    SHAPES,
    /** What the digest needs. */
    DIGEST,
    /** Everything. */
    VALUES
  }

  /**
   * One tensor of a fused array, by the name that {@link ModelFamily#storedNames} translates.
   *
   * @param shape {@code [n]} or {@code [rows, columns]}
   */
  public record Piece(String name, long... shape) {}

  /** Where tensors come from: files, or values that are made up. */
  @FunctionalInterface
  public interface Source {

    /** Fills all of {@code target}; {@code digest} sees the bytes as they are stored. */
    void read(Piece piece, FloatSink target, MessageDigest digest) throws IOException;

    /** Has {@code digest} see what it sees when the tensor is read. */
    default void digest(Piece piece, MessageDigest digest) throws IOException {}

    /** Throws if the source lacks the tensor. */
    default void check(Piece piece) throws IOException {}
  }

  /**
   * @param memory for the values; unused for another extent
   */
  FrozenTensors(Source source, Extent extent, FrozenMemory memory) {
    this.source = source;
    this.extent = extent;
    this.memory = memory;
    try {
      this.digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * The files of a directory.
   *
   * @param storedName what they call a tensor
   */
  record Files(ModelDirectory directory, TensorSource source, UnaryOperator<String> storedName)
      implements Source {

    @Override
    public void check(Piece piece) throws IOException {
      String stored = storedName.apply(piece.name());
      if (!source.names().contains(stored)) {
        throw directory.refuse("tensor %s is missing".formatted(stored));
      }
      long[] found = source.shape(stored);
      if (!Arrays.equals(found, piece.shape())) {
        throw directory.refuse(
            "tensor %s has shape %s, expected %s"
                .formatted(stored, Arrays.toString(found), Arrays.toString(piece.shape())));
      }
    }

    @Override
    public void read(Piece piece, FloatSink target, MessageDigest digest) throws IOException {
      source.read(storedName.apply(piece.name()), target, digest);
    }

    @Override
    public void digest(Piece piece, MessageDigest digest) throws IOException {
      source.digest(storedName.apply(piece.name()), digest);
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
    for (Piece piece : pieces) {
      source.check(piece);
    }
    if (extent == Extent.DIGEST) {
      for (Piece piece : pieces) {
        begin(piece);
        source.digest(piece, digest);
      }
    } else if (extent == Extent.VALUES) {
      if (pieces[0].shape().length > 1) {
        long rows = Arrays.stream(pieces).mapToLong(piece -> piece.shape()[0]).sum();
        FrozenMatrix matrix = memory.matrix(rows, pieces[0].shape()[1]);
        fill(pieces, matrix::put);
        matrices.put(part, matrix);
      } else {
        INDArray vector =
            memory.vector(Arrays.stream(pieces).mapToLong(piece -> piece.shape()[0]).sum());
        fill(pieces, memory.sink(vector));
        vectors.put(part, vector);
      }
    }
  }

  /** Has parts of the network find a matrix under a second name. */
  public void alias(String part, String read) {
    if (extent == Extent.VALUES) {
      matrices.put(part, matrices.get(read));
    }
  }

  private void fill(Piece[] pieces, FloatSink target) throws IOException {
    long filled = 0;
    for (Piece piece : pieces) {
      begin(piece);
      long offset = filled;
      source.read(
          piece, (position, values, count) -> target.put(offset + position, values, count), digest);
      filled += Arrays.stream(piece.shape()).reduce(1, Math::multiplyExact);
    }
  }

  private void begin(Piece piece) {
    digest.update(
        (piece.name() + Arrays.toString(piece.shape()) + '\n').getBytes(StandardCharsets.UTF_8));
  }

  /** What was read, with its digest; has no tensors unless values were read. Ends the reading. */
  Backbone backbone(BackboneConfig config) {
    return new Backbone(config, HexFormat.of().formatHex(digest.digest()), matrices, vectors);
  }
}
