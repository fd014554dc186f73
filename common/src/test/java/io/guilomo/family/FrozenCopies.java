package io.guilomo.family;

import io.guilomo.io.BlockReader;
import io.guilomo.io.FloatMemory;
import io.guilomo.io.FloatSink;
import io.guilomo.kernel.Kernels;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Copies of backbones of the host for kernels under test, whose matrices are of the type that the
 * system property {@code guilomo.test.precision} names: {@code FLOAT}, as without it, or {@code
 * BFLOAT16}.
 */
public final class FrozenCopies {

  private final FrozenMemory memory;

  private FrozenCopies(FrozenMemory memory) {
    this.memory = memory;
  }

  /** A backbone of the host in the memory of kernels. */
  public static Backbone of(Backbone host, Kernels kernels) {
    return of(host, memory(kernels));
  }

  public static FrozenMemory memory(Kernels kernels) {
    String type = System.getProperty("guilomo.test.precision", DataType.FLOAT.name());
    return new FrozenMemory(kernels, DataType.valueOf(type));
  }

  /** A backbone of the host in another memory. */
  public static Backbone of(Backbone host, FrozenMemory memory) {
    FrozenCopies copies = new FrozenCopies(memory);
    Backbone copy =
        host instanceof LlamaBackbone llama ? copies.of(llama) : copies.of((BertBackbone) host);
    memory.kernels().finish();
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

  private INDArray of(INDArray host) {
    if (memory.kernels().memory().equals(Kernels.HOST) && memory.matrices() == DataType.FLOAT) {
      return host;
    }
    INDArray copy = memory.allocate(host.shape());
    FloatMemory values = FloatMemory.of(host);
    FloatSink sink = memory.sink(copy);
    float[] block = new float[(int) Math.min(BlockReader.BLOCK, host.length())];
    for (long done = 0; done < host.length(); done += block.length) {
      int count = (int) Math.min(block.length, host.length() - done);
      values.get(done, block, count);
      sink.put(done, block, count);
    }
    return copy;
  }
}
