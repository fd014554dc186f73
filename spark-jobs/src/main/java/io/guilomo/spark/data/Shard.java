package io.guilomo.spark.data;

import io.guilomo.data.Example;
import io.guilomo.io.ContentDigest;
import java.io.Serializable;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The data of one worker: its part of the training examples and of the validation examples, at
 * least one of each.
 */
public record Shard(int index, Example[] train, Example[] validation) implements Serializable {

  /**
   * The same with the first of its validation examples, which are in no order, but at least one.
   */
  public Shard validating(double share) {
    int count = (int) Math.max(1, Math.round(share * validation.length));
    return new Shard(index, train, Arrays.copyOf(validation, count));
  }

  /** Digest of all examples, in their order. */
  String digest() {
    return ContentDigest.sha256(
        Stream.of(train, validation)
            .map(examples -> Arrays.stream(examples).map(Shard::digest))
            .map(digests -> digests.collect(Collectors.joining(" ")))
            .collect(Collectors.joining("\n"))
            .getBytes(StandardCharsets.UTF_8));
  }

  private static String digest(Example example) {
    ByteBuffer bytes = ByteBuffer.allocate(3 * Integer.BYTES * example.length());
    bytes.asIntBuffer().put(example.tokens()).put(example.segments()).put(example.labels());
    return ContentDigest.sha256(bytes.array());
  }
}
