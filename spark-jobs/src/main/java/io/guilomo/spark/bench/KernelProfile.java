package io.guilomo.spark.bench;

import io.guilomo.kernel.Kernels;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/** Kernels that count their calls and the time in them, for one thread that calls them. */
final class KernelProfile {

  /** What was not in any kernel. */
  static final String REST = "rest";

  private final Map<String, Time> times = new HashMap<>();

  private static final class Time {
    private long calls;
    private long nanos;
  }

  /**
   * The share of one kernel.
   *
   * @param seconds of one step
   * @param calls of one step
   */
  record Share(double seconds, double share, double calls) {}

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
                Time time = times.computeIfAbsent(method.getName(), name -> new Time());
                time.calls++;
                time.nanos += System.nanoTime() - start;
              }
            });
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
              shares.put(entry.getKey(), new Share(own / steps, own / seconds, calls));
            });
    double inside = times.values().stream().mapToDouble(time -> time.nanos / 1e9).sum();
    shares.put(REST, new Share((seconds - inside) / steps, 1 - inside / seconds, 0));
    return shares;
  }
}
