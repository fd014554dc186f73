package io.guilomo.family.bert;

import io.guilomo.io.OnnxModel;
import io.guilomo.model.UserException;

/**
 * The shape of the BERT encoder that an ONNX graph computes, for a file that came without {@code
 * config.json}: sizes from the weights, heads from the reshape of the first attention, epsilon from
 * the first norm.
 */
record BertOnnx(OnnxModel onnx) {

  static final String WORDS = "embeddings.word_embeddings.weight";

  BertConfig config() {
    String prefix = onnx.names().contains("bert." + WORDS) ? "bert." : "";
    String nodes = "/" + prefix.replace('.', '/');
    long[] words = matrix(prefix + WORDS);
    int layers = 0;
    while (onnx.names()
        .contains(prefix + "encoder.layer." + layers + ".intermediate.dense.weight")) {
      layers++;
    }
    long[] intermediate = matrix(prefix + "encoder.layer.0.intermediate.dense.weight");
    if (!onnx.has("Erf")) {
      throw untold("an exact GELU");
    }
    double heads = constant(nodes + "encoder/layer.0/attention/self/Concat", 2);
    double headDim = constant(nodes + "encoder/layer.0/attention/self/Concat", 3);
    if (!(heads >= 1) || heads * headDim != words[1]) {
      throw untold("the number of heads");
    }
    return new BertConfig(
        size(words[1]),
        size(intermediate[0]),
        layers,
        (int) heads,
        size(words[0]),
        size(matrix(prefix + "embeddings.position_embeddings.weight")[0]),
        size(matrix(prefix + "embeddings.token_type_embeddings.weight")[0]),
        (float) constant(nodes + "embeddings/LayerNorm/Add", 1));
  }

  private int size(long size) {
    if (size <= 0 || size > Integer.MAX_VALUE) {
      throw untold("its sizes");
    }
    return (int) size;
  }

  private long[] matrix(String name) {
    if (!onnx.names().contains(name) || onnx.shape(name).length != 2) {
      throw untold("the matrix " + name);
    }
    return onnx.shape(name);
  }

  private double constant(String node, int input) {
    return onnx.constant(node, input)
        .orElseThrow(() -> untold("the constant that %s reads".formatted(node)));
  }

  private UserException untold(String what) {
    return onnx.refuse("there is no config.json beside it, and the graph does not tell " + what);
  }
}
