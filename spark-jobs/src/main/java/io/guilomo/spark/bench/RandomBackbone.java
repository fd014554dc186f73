package io.guilomo.spark.bench;

import io.guilomo.family.FrozenMemory;
import io.guilomo.family.FrozenTensors.Piece;
import io.guilomo.family.ModelReader;
import io.guilomo.io.FloatSink;
import io.guilomo.kernel.FrozenMatrix;
import io.guilomo.network.Backbone;
import io.guilomo.network.BackboneConfig;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Random;
import java.util.Set;

/**
 * A model of random weights where the kernels compute, never all of it on the host. Its matrices
 * repeat one block of values, which products do not notice; norms scale by 1, and biases are 0.
 */
final class RandomBackbone implements AutoCloseable {

  private static final double DEVIATION = 0.02;

  /** An odd length shifts the block from row to row. */
  private static final int BLOCK = (1 << 20) - 1;

  private final FrozenMemory memory;
  private final Backbone backbone;

  RandomBackbone(BackboneConfig config, FrozenMemory memory) {
    this.memory = memory;
    Random random = new Random(7);
    float[] normal = new float[BLOCK];
    for (int i = 0; i < BLOCK; i++) {
      normal[i] = (float) (DEVIATION * random.nextGaussian());
    }
    float[] ones = new float[BLOCK];
    Arrays.fill(ones, 1);
    float[] zeros = new float[BLOCK];
    try {
      this.backbone =
          ModelReader.make(
              config,
              (piece, target, digest) -> {
                boolean matrix = piece.shape().length > 1;
                fill(piece, matrix ? normal : piece.name().endsWith("bias") ? zeros : ones, target);
              },
              memory);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void fill(Piece piece, float[] block, FloatSink target) {
    long length = Arrays.stream(piece.shape()).reduce(1, Math::multiplyExact);
    for (long done = 0; done < length; done += block.length) {
      target.put(done, block, (int) Math.min(block.length, length - done));
    }
  }

  Backbone backbone() {
    return backbone;
  }

  /** Gives its memory back. */
  @Override
  public void close() {
    Set<FrozenMatrix> matrices = Collections.newSetFromMap(new IdentityHashMap<>());
    matrices.addAll(backbone.matrices().values());
    matrices.forEach(memory.kernels()::release);
    backbone.vectors().values().forEach(memory.kernels()::release);
  }
}
