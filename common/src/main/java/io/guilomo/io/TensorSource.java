package io.guilomo.io;

import java.io.Closeable;
import java.io.IOException;
import java.security.MessageDigest;
import java.util.Set;

/**
 * The weight tensors of a model directory by their Hugging Face names, whatever files they lie in.
 */
public sealed interface TensorSource extends Closeable permits SafetensorsModel, OnnxModel {

  Set<String> names();

  /** Shape as Hugging Face has it: linear weights are {@code [out, in]}. */
  long[] shape(String name) throws IOException;

  /** Reads all elements; {@code digest} sees the bytes as they are stored. */
  void read(String name, FloatSink target, MessageDigest digest) throws IOException;

  /** Has {@code digest} see what it sees when the tensor is read. */
  void digest(String name, MessageDigest digest) throws IOException;
}
