package io.guilomo.network;

import io.guilomo.kernel.ArrayViews;
import io.guilomo.kernel.Kernels;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedDeque;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Named working arrays of one network: allocated once, grown when a batch is larger than any
 * before, reused by every pass. Not thread-safe; {@link #borrow} hands out the arrays of an earlier
 * network of the same JVM, so that a new averaging round allocates nothing.
 */
final class Buffers {

  /** By the kernels, or by {@link #ON_HOST} for all kernels of the host's memory. */
  private static final Map<Object, Deque<Buffers>> FREE =
      Collections.synchronizedMap(new IdentityHashMap<>());

  private static final Object ON_HOST = new Object();

  /** Shapes of an array that are kept as views: those that the modules of a block ask for. */
  private static final int VIEWS = 16;

  /** Views by shape. */
  private record Held(INDArray flat, Map<Shape, INDArray> views) {}

  /**
   * @param columns {@link #VECTOR} of a vector
   */
  private record Shape(long rows, long columns) {
    private static final long VECTOR = -1;

    long length() {
      return columns == VECTOR ? rows : rows * columns;
    }

    long[] dimensions() {
      return columns == VECTOR ? new long[] {rows} : new long[] {rows, columns};
    }
  }

  private record Range(long first, long count) {}

  private final Kernels kernels;
  private final Map<String, Held> arrays = new HashMap<>();
  private final Map<INDArray, Map<Range, INDArray>> columns = new IdentityHashMap<>();

  Buffers(Kernels kernels) {
    this.kernels = kernels;
  }

  static Buffers borrow(Kernels kernels) {
    Buffers buffers = free(kernels).poll();
    return buffers == null ? new Buffers(kernels) : buffers;
  }

  void giveBack() {
    free(kernels).push(this);
  }

  private static Deque<Buffers> free(Kernels kernels) {
    Object key = kernels.memory().equals(Kernels.HOST) ? ON_HOST : kernels;
    return FREE.computeIfAbsent(key, each -> new ConcurrentLinkedDeque<>());
  }

  /** The vector of that name and length; its content is whatever was left there. */
  INDArray array(String name, long length) {
    return array(name, new Shape(length, Shape.VECTOR));
  }

  /** The matrix of that name and shape, row-major; its content is whatever was left there. */
  INDArray array(String name, long rows, long columns) {
    return array(name, new Shape(rows, columns));
  }

  private INDArray array(String name, Shape shape) {
    Held held = arrays.get(name);
    INDArray kept = held == null ? null : held.views.get(shape);
    return kept == null ? view(name, held, shape) : kept;
  }

  private INDArray view(String name, Held held, Shape shape) {
    Held wide = held;
    if (held == null || held.flat.length() < shape.length()) {
      wide =
          new Held(kernels.allocate(DataType.FLOAT, Math.max(1, shape.length())), new HashMap<>());
      arrays.put(name, wide);
    }
    if (held != null && (wide != held || held.views.size() == VIEWS)) {
      held.views.values().forEach(columns::remove);
      held.views.clear();
    }
    if (held != null && wide != held) {
      kernels.release(held.flat);
    }
    INDArray view = ArrayViews.slice(wide.flat, 0, shape.dimensions());
    wide.views.put(shape, view);
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
}
