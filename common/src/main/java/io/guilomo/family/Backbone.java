package io.guilomo.family;

import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A frozen pretrained transformer. Its arrays are shared by everything in the JVM and never
 * written.
 */
public sealed interface Backbone permits LlamaBackbone, BertBackbone {

  BackboneConfig config();

  /** Hexadecimal sha256 over the names, shapes and values of the tensors. */
  String digest();

  /** Token embeddings {@code [vocabulary, hidden]}. */
  INDArray wordEmbeddings();
}
