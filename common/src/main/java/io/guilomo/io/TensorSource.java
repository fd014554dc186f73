package io.guilomo.io;

import java.io.Closeable;
import java.io.IOException;
import java.security.MessageDigest;
import java.util.LinkedHashSet;
import java.util.Set;

/**
 * The weight tensors of a model directory by their Hugging Face names, whatever files they are in.
 */
public sealed interface TensorSource extends Closeable permits SafetensorsModel, OnnxModel {

  Set<String> names();

  /** Names of the tensors other than those of the given names. */
  default Set<String> others(Set<String> names) {
    Set<String> others = new LinkedHashSet<>(names());
    others.removeAll(names);
    return others;
  }

  /** The shape as in Hugging Face: linear weights are {@code [out, in]}. */
  long[] shape(String name) throws IOException;

  /** Whether the elements are stored as float16. */
  boolean half(String name) throws IOException;

  /** Reads all elements; updates {@code digest} with the bytes as stored. */
  void read(String name, FloatSink target, MessageDigest digest) throws IOException;

  /** Updates {@code digest} as reading the tensor would. */
  void digest(String name, MessageDigest digest) throws IOException;
}
