package io.guilomo.family;

import io.guilomo.io.ModelDirectory;
import io.guilomo.io.TensorSource;
import io.guilomo.kernel.ArrayViews;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.function.UnaryOperator;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Reads the tensors a backbone needs, checked against the shapes its configuration asks for, and
 * digests what was read: sha256 over name, shape and stored bytes of each tensor in the order of
 * reading. Weights of another type, such as float16 for float32, have another digest; in other
 * shards or another directory they have the same.
 */
final class FrozenTensors {

  private final ModelDirectory directory;
  private final TensorSource source;
  private final UnaryOperator<String> storedName;
  private final Extent extent;
  private final FrozenMemory memory;
  private final MessageDigest digest;

  /** How much is read of the tensors. */
  enum Extent {
    /** Names and shapes are checked; every array is null. */
    SHAPES,
    /** So much as the digest needs; every array is null. */
    DIGEST,
    /** Everything. */
    VALUES
  }

  /**
   * @param storedName what the source calls a tensor
   * @param memory for the values
   */
  FrozenTensors(
      ModelDirectory directory,
      TensorSource source,
      UnaryOperator<String> storedName,
      Extent extent,
      FrozenMemory memory) {
    this.directory = directory;
    this.source = source;
    this.storedName = storedName;
    this.extent = extent;
    this.memory = memory;
    try {
      this.digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  /** One tensor of a fused array. */
  record Part(String name, long... shape) {}

  INDArray read(String name, long... shape) throws IOException {
    return fused(List.of(new Part(name, shape)));
  }

  /** Tensors under each other in one array; they differ in their first dimension at most. */
  INDArray fused(List<Part> parts) throws IOException {
    for (Part part : parts) {
      check(part);
    }
    if (extent != Extent.VALUES) {
      if (extent == Extent.DIGEST) {
        for (Part part : parts) {
          begin(part);
          source.digest(storedName.apply(part.name()), digest);
        }
      }
      return null;
    }
    long[] shape = parts.get(0).shape().clone();
    shape[0] = parts.stream().mapToLong(part -> part.shape()[0]).sum();
    INDArray fused = memory.allocate(shape);
    long offset = 0;
    for (Part part : parts) {
      begin(part);
      INDArray place = ArrayViews.stretch(fused, offset, part.shape());
      source.read(storedName.apply(part.name()), memory.sink(place), digest);
      offset += place.length();
    }
    return fused;
  }

  private void begin(Part part) {
    digest.update(
        (part.name() + Arrays.toString(part.shape()) + '\n').getBytes(StandardCharsets.UTF_8));
  }

  private void check(Part part) throws IOException {
    String stored = storedName.apply(part.name());
    if (!source.names().contains(stored)) {
      throw directory.refuse("tensor %s is missing".formatted(stored));
    }
    long[] found = source.shape(stored);
    if (!Arrays.equals(found, part.shape())) {
      throw directory.refuse(
          "tensor %s has shape %s, expected %s"
              .formatted(stored, Arrays.toString(found), Arrays.toString(part.shape())));
    }
  }

  /** The hexadecimal digest of everything read; ends the reading. */
  String digest() {
    return HexFormat.of().formatHex(digest.digest());
  }
}
