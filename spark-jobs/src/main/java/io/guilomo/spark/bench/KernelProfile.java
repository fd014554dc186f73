package io.guilomo.spark.bench;

import io.guilomo.kernel.Kernels;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Kernels that count their calls and the time in them, for one thread that calls them; products by
 * their shape {@code m×n×k}.
 */
final class KernelProfile {

  /** What was not in any kernel. */
  static final String REST = "rest";

  private static final String PRODUCT = "product";

  private final Map<String, Time> times = new HashMap<>();

  private static final class Time {
    private long operations;
    private long calls;
    private long nanos;
  }

  /**
   * The share of one kernel.
   *
   * @param seconds of one step
   * @param calls of one step
   * @param gflops 10⁹ operations a second of products; 0 for others
   */
  record Share(double seconds, double share, double calls, double gflops) {}

  Kernels of(Kernels kernels) {
    return (Kernels)
        Proxy.newProxyInstance(
            Kernels.class.getClassLoader(),
            new Class<?>[] {Kernels.class},
            (proxy, method, arguments) -> {
              long start = System.nanoTime();
              try {
                return method.invoke(kernels, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              } finally {
                String name = method.getName();
                long[] shape = name.equals(PRODUCT) ? shape(arguments) : null;
                Time time =
                    times.computeIfAbsent(
                        shape == null
                            ? name
                            : name + " " + shape[0] + "×" + shape[1] + "×" + shape[2],
                        each -> new Time());
                time.operations += shape == null ? 0 : 2 * shape[0] * shape[1] * shape[2];
                time.calls++;
                time.nanos += System.nanoTime() - start;
              }
            });
  }

  /** {@code m, n, k} of {@link Kernels#product}. */
  private static long[] shape(Object[] arguments) {
    INDArray a = (INDArray) arguments[0];
    INDArray c = (INDArray) arguments[4];
    return new long[] {c.rows(), c.columns(), (boolean) arguments[1] ? a.rows() : a.columns()};
  }

  void clear() {
    times.clear();
  }

  /**
   * Shares of all that was called, the largest first.
   *
   * @param seconds that all steps took
   */
  Map<String, Share> shares(double seconds, int steps) {
    Map<String, Share> shares = new LinkedHashMap<>();
    times.entrySet().stream()
        .sorted(Comparator.comparingLong(entry -> -entry.getValue().nanos))
        .forEach(
            entry -> {
              double own = entry.getValue().nanos / 1e9;
              double calls = (double) entry.getValue().calls / steps;
              double gflops = entry.getValue().operations / own / 1e9;
              shares.put(entry.getKey(), new Share(own / steps, own / seconds, calls, gflops));
            });
    double inside = times.values().stream().mapToDouble(time -> time.nanos / 1e9).sum();
    shares.put(REST, new Share((seconds - inside) / steps, 1 - inside / seconds, 0, 0));
    return shares;
  }
}
