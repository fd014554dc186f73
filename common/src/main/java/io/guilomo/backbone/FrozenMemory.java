package io.guilomo.backbone;

import io.guilomo.kernel.ArrayViews;
import io.guilomo.kernel.Kernels;
import io.guilomo.kernel.Nd4jKernels;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Where frozen tensors lie, and as what: norms and biases are always 32-bit floats.
 *
 * @param kernels that compute with them
 * @param matrices type of linear weights and embeddings: {@link DataType#FLOAT} or {@link
 *     DataType#BFLOAT16}
 */
public record FrozenMemory(Kernels kernels, DataType matrices) {

  /** The host's memory, 32-bit floats. */
  public static FrozenMemory host() {
    return new FrozenMemory(new Nd4jKernels(), DataType.FLOAT);
  }

  private boolean isHost() {
    return kernels.memory().equals(Kernels.HOST);
  }

  /**
   * An array of undefined content.
   *
   * @throws IllegalArgumentException if the kernels cannot compute with its type
   */
  INDArray allocate(long... shape) {
    long length = 1;
    for (long size : shape) {
      length *= size;
    }
    DataType type = shape.length > 1 ? matrices : DataType.FLOAT;
    return ArrayViews.stretch(kernels.allocate(type, length), 0, shape);
  }

  /** Fills an array of {@link #allocate}, or a stretch of it. */
  FloatSink sink(INDArray array) {
    if (isHost()) {
      return FloatMemory.of(array);
    }
    return (position, values, count) ->
        kernels.write(values, ArrayViews.stretch(array, position, count));
  }

  /** A contiguous array of the host, or a copy of it where this is another memory. */
  INDArray of(INDArray host) {
    if (isHost() && matrices == DataType.FLOAT) {
      return host;
    }
    INDArray copy = allocate(host.shape());
    FloatMemory memory = FloatMemory.of(host);
    FloatSink sink = sink(copy);
    float[] block = new float[(int) Math.min(BlockReader.BLOCK, host.length())];
    for (long done = 0; done < host.length(); done += block.length) {
      int count = (int) Math.min(block.length, host.length() - done);
      memory.get(done, block, count);
      sink.put(done, block, count);
    }
    return copy;
  }

  /** A backbone of the host, or a copy of it where this is another memory. */
  public Backbone of(Backbone host) {
    Backbone copy = host instanceof LlamaBackbone llama ? of(llama) : of((BertBackbone) host);
    kernels.finish();
    return copy;
  }

  private LlamaBackbone of(LlamaBackbone host) {
    INDArray embeddings = of(host.wordEmbeddings());
    return new LlamaBackbone(
        host.config(),
        host.digest(),
        embeddings,
        host.layers().stream()
            .map(
                layer ->
                    new LlamaBackbone.Layer(
                        of(layer.attentionNorm()),
                        of(layer.attentionInput()),
                        of(layer.attentionOutput()),
                        of(layer.mlpNorm()),
                        of(layer.mlpInput()),
                        of(layer.mlpOutput())))
            .toList(),
        of(host.finalNorm()),
        host.head() == host.wordEmbeddings() ? embeddings : of(host.head()));
  }

  private BertBackbone of(BertBackbone host) {
    return new BertBackbone(
        host.config(),
        host.digest(),
        of(host.wordEmbeddings()),
        of(host.positionEmbeddings()),
        of(host.segmentEmbeddings()),
        of(host.embeddingNorm()),
        host.layers().stream()
            .map(
                layer ->
                    new BertBackbone.Layer(
                        of(layer.attentionInput()),
                        of(layer.attentionInputBias()),
                        of(layer.attentionOutput()),
                        of(layer.attentionOutputBias()),
                        of(layer.attentionNorm()),
                        of(layer.mlpInput()),
                        of(layer.mlpInputBias()),
                        of(layer.mlpOutput()),
                        of(layer.mlpOutputBias()),
                        of(layer.outputNorm())))
            .toList());
  }

  private BertBackbone.Norm of(BertBackbone.Norm norm) {
    return new BertBackbone.Norm(of(norm.weight()), of(norm.bias()));
  }
}
