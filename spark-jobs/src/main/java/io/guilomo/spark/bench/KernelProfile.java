package io.guilomo.spark.bench;

import io.guilomo.kernel.Kernels;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.DoubleAdder;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.IntConsumer;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Kernels that count calls and measure the time spent in them; products are told apart by their
 * shape {@code m×n×k}. The time of a call by one of several concurrent replicas is divided by their
 * number; the time in which one waits for the other belongs to no kernel.
 */
final class KernelProfile {

  /** Time outside all kernels. */
  static final String REST = "rest";

  private static final String PRODUCT = "product";
  private static final int PROCESSORS = Runtime.getRuntime().availableProcessors();

  private final Map<String, Time> times = new ConcurrentHashMap<>();
  private final ThreadLocal<Integer> replicas = ThreadLocal.withInitial(() -> 1);

  private static final class Time {
    private final LongAdder operations = new LongAdder();
    private final LongAdder calls = new LongAdder();
    private final DoubleAdder seconds = new DoubleAdder();
  }

  /**
   * The share of one kernel.
   *
   * @param seconds per step
   * @param calls per step
   * @param gflops GFLOP/s of products; 0 for other kernels
   */
  record Share(double seconds, double share, double calls, double gflops) {}

  Kernels of(Kernels kernels) {
    return (Kernels)
        Proxy.newProxyInstance(
            Kernels.class.getClassLoader(),
            new Class<?>[] {Kernels.class},
            (proxy, method, arguments) -> {
              if (method.getName().equals("splitsBatches")) {
                return kernels.splitsBatches();
              }
              if (method.getName().equals("runConcurrently")) {
                runConcurrently(kernels, (int) arguments[0], (IntConsumer) arguments[1]);
                return null;
              }
              long start = System.nanoTime();
              try {
                Object result = method.invoke(kernels, arguments);
                // On a card, the kernel has only been launched by now.
                kernels.finish();
                return result;
              } catch (InvocationTargetException e) {
                throw e.getCause();
              } finally {
                String name = method.getName();
                long[] shape = shape(name, arguments);
                Time time =
                    times.computeIfAbsent(
                        shape == null
                            ? name
                            : name + " " + shape[0] + "×" + shape[1] + "×" + shape[2],
                        each -> new Time());
                time.operations.add(shape == null ? 0 : 2 * shape[0] * shape[1] * shape[2]);
                time.calls.increment();
                time.seconds.add((System.nanoTime() - start) / 1e9 / replicas.get());
              }
            });
  }

  private void runConcurrently(Kernels kernels, int count, IntConsumer body) {
    kernels.runConcurrently(
        count,
        replica -> {
          replicas.set(Math.min(count, PROCESSORS));
          try {
            body.accept(replica);
          } finally {
            replicas.set(1);
          }
        });
  }

  /** {@code m, n, k} of a product of matrices; null of another kernel. */
  private static long[] shape(String kernel, Object[] arguments) {
    return switch (kernel) {
      case PRODUCT -> {
        INDArray a = (INDArray) arguments[0];
        INDArray c = (INDArray) arguments[4];
        yield new long[] {c.rows(), c.columns(), (boolean) arguments[1] ? a.rows() : a.columns()};
      }
      case "matmul", "matmulBackward" -> {
        INDArray in = (INDArray) arguments[0];
        INDArray out = (INDArray) arguments[2];
        yield new long[] {out.rows(), out.columns(), in.columns()};
      }
      default -> null;
    };
  }

  void clear() {
    times.clear();
  }

  /**
   * Shares of all kernels that were called, the largest first.
   *
   * @param seconds time of all steps
   */
  Map<String, Share> shares(double seconds, int steps) {
    Map<String, Share> shares = new LinkedHashMap<>();
    times.entrySet().stream()
        .sorted(Comparator.comparingDouble(entry -> -entry.getValue().seconds.sum()))
        .forEach(
            entry -> {
              double own = entry.getValue().seconds.sum();
              double calls = (double) entry.getValue().calls.sum() / steps;
              double gflops = entry.getValue().operations.sum() / own / 1e9;
              shares.put(entry.getKey(), new Share(own / steps, own / seconds, calls, gflops));
            });
    double inside = times.values().stream().mapToDouble(time -> time.seconds.sum()).sum();
    shares.put(REST, new Share((seconds - inside) / steps, 1 - inside / seconds, 0, 0));
    return shares;
  }
}
