package io.guilomo.family;

import io.guilomo.family.FrozenTensors.Piece;
import io.guilomo.io.FloatSink;
import io.guilomo.model.LinearModule;
import io.guilomo.model.ModulePaths;
import java.io.IOException;
import java.security.MessageDigest;
import java.util.Arrays;

/** Finds the weight of one module among the tensors that a family asks for. */
final class SoughtTensor implements FrozenTensors.Source {

  private final FrozenTensors.Source files;
  private final LinearModule module;
  private final String name;
  private Piece found;

  SoughtTensor(FrozenTensors.Source files, ModulePaths paths, LinearModule module) {
    this.files = files;
    this.module = module;
    this.name = paths.inBase(module) + ".weight";
  }

  @Override
  public void check(Piece piece) throws IOException {
    files.check(piece);
    if (piece.name().equals(name) || piece.name().endsWith("." + name)) {
      found = piece;
    }
  }

  @Override
  public void read(Piece piece, FloatSink target, MessageDigest digest) throws IOException {
    files.read(piece, target, digest);
  }

  /** Its values, once the family has asked for all tensors. */
  float[] values() throws IOException {
    long[] shape = {module.outFeatures(), module.inFeatures()};
    if (found == null || !Arrays.equals(found.shape(), shape)) {
      throw new IllegalStateException(
          "Cannot find the weight of %s: the family asks for %s"
              .formatted(module, found == null ? "none of its name" : found));
    }
    float[] all = new float[Math.multiplyExact(module.outFeatures(), module.inFeatures())];
    files.read(
        found,
        (position, values, count) -> System.arraycopy(values, 0, all, (int) position, count),
        null);
    return all;
  }
}
