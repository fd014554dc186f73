package io.guilomo.network;

import io.guilomo.kernel.ArrayViews;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.stream.LongStream;
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

  /** Shapes of an array that are kept as views: those that the modules of a block ask for. */
  private static final int VIEWS = 16;

  /** Views by shape. */
  private record Held(INDArray flat, Map<List<Long>, INDArray> views) {}

  private record Range(long first, long count) {}

  private final Map<String, Held> arrays = new HashMap<>();
  private final Map<INDArray, Map<Range, INDArray>> columns = new IdentityHashMap<>();

  static Buffers borrow() {
    Buffers buffers = FREE.poll();
    return buffers == null ? new Buffers() : buffers;
  }

  void giveBack() {
    FREE.push(this);
  }

  /** The array of that name with that shape, row-major; its content is whatever was left there. */
  INDArray array(String name, long... shape) {
    List<Long> key = LongStream.of(shape).boxed().toList();
    Held held = arrays.get(name);
    INDArray kept = held == null ? null : held.views.get(key);
    return kept == null ? view(name, held, key, shape) : kept;
  }

  private INDArray view(String name, Held held, List<Long> key, long... shape) {
    long length = 1;
    for (long dimension : shape) {
      length *= dimension;
    }
    Held wide = held;
    if (held == null || held.flat.length() < length) {
      wide = new Held(allocate(length), new HashMap<>());
      arrays.put(name, wide);
    }
    if (held != null && (wide != held || held.views.size() == VIEWS)) {
      held.views.values().forEach(columns::remove);
      held.views.clear();
    }
    INDArray view = ArrayViews.stretch(wide.flat, 0, shape);
    wide.views.put(key, view);
    columns.put(view, new HashMap<>());
    return view;
  }

  /** As {@link ArrayViews#columns}; views of the arrays handed out here are made once. */
  INDArray columns(INDArray matrix, long first, long count) {
    Map<Range, INDArray> kept = columns.get(matrix);
    return kept == null
        ? ArrayViews.columns(matrix, first, count)
        : kept.computeIfAbsent(
            new Range(first, count), range -> ArrayViews.columns(matrix, first, count));
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
