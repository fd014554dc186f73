package io.guilomo.network;

import io.guilomo.kernel.ArrayViews;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedDeque;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Named working arrays of one network: allocated once, grown when a batch is larger than any
 * before, reused by every pass. Not thread-safe; {@link #borrow} hands out the arrays of an earlier
 * network of the same JVM, so that a new averaging round allocates nothing.
 */
final class Buffers {

  private static final ConcurrentLinkedDeque<Buffers> FREE = new ConcurrentLinkedDeque<>();

  private record Held(INDArray flat, INDArray view) {}

  private final Map<String, Held> arrays = new HashMap<>();

  static Buffers borrow() {
    Buffers buffers = FREE.poll();
    return buffers == null ? new Buffers() : buffers;
  }

  void giveBack() {
    FREE.push(this);
  }

  /** The array of that name with that shape, row-major; its content is whatever was left there. */
  INDArray array(String name, long... shape) {
    Held held = arrays.get(name);
    if (held != null && java.util.Arrays.equals(held.view.shape(), shape)) {
      return held.view;
    }
    long length = 1;
    for (long dimension : shape) {
      length *= dimension;
    }
    INDArray flat = held == null || held.flat.length() < length ? allocate(length) : held.flat;
    INDArray view = ArrayViews.stretch(flat, 0, shape);
    arrays.put(name, new Held(flat, view));
    return view;
  }

  /** Bytes held. */
  long bytes() {
    return arrays.values().stream().mapToLong(held -> held.flat.length() * Float.BYTES).sum();
  }

  private static INDArray allocate(long length) {
    try (MemoryWorkspace ignored = Nd4j.getMemoryManager().scopeOutOfWorkspaces()) {
      return Nd4j.createUninitialized(DataType.FLOAT, Math.max(1, length));
    }
  }
}
