package io.guilomo.family;

import io.guilomo.io.BlockReader;
import io.guilomo.io.FloatMemory;
import io.guilomo.io.FloatSink;
import io.guilomo.kernel.Kernels;
import io.guilomo.network.Backbone;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.Map;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Copies of backbones of the host for kernels under test, whose matrices are of the type that the
 * system property {@code guilomo.test.precision} names: {@code FLOAT}, as without it, or {@code
 * BFLOAT16}.
 */
public final class FrozenCopies {

  private FrozenCopies() {}

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
    // Tensors of two names stay one.
    Map<INDArray, INDArray> copies = new IdentityHashMap<>();
    Map<String, INDArray> tensors = new HashMap<>();
    host.tensors()
        .forEach(
            (name, tensor) ->
                tensors.put(name, copies.computeIfAbsent(tensor, each -> of(each, memory))));
    memory.kernels().finish();
    return new Backbone(host.config(), host.digest(), tensors);
  }

  private static INDArray of(INDArray host, FrozenMemory memory) {
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
