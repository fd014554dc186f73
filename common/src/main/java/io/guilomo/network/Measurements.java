package io.guilomo.network;

import io.guilomo.kernel.ArrayViews;
import io.guilomo.kernel.Kernels;
import io.guilomo.model.LinearModule;
import java.util.LinkedHashMap;
import java.util.Map;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What the parts of a replica measure in a pass. It lies in one vector, {@code [sum of the losses,
 * hits | statistics of each router | entropy of each router]}, so that the host waits for the
 * device once; what it makes of it, the gradients of the load-balancing loss, goes back in another.
 */
final class Measurements implements AutoCloseable {

  private static final int TOTALS = 2;

  private final Kernels kernels;
  private final Map<LinearModule, Router> routers = new LinkedHashMap<>();
  private int experts;
  private INDArray vector;
  private INDArray totals;
  private INDArray balance;
  private INDArray losses;
  private double[] values;

  /**
   * Where a router's numbers lie.
   *
   * @param first number of its first expert among those of all routers
   */
  private record Router(
      int first, int experts, INDArray statistics, INDArray entropy, INDArray balance) {}

  Measurements(Kernels kernels) {
    this.kernels = kernels;
  }

  /** Adds a router, in the order in which they run; none once one of the arrays was asked for. */
  void add(LinearModule module, int count) {
    if (vector != null) {
      throw new IllegalStateException("Cannot measure " + module + ": passes have begun");
    }
    routers.put(module, new Router(experts, count, null, null, null));
    experts += count;
  }

  private void allocate() {
    if (vector != null) {
      return;
    }
    int entropies = TOTALS + 2 * experts;
    vector = kernels.allocate(DataType.DOUBLE, (long) entropies + routers.size());
    kernels.fill(vector, 0);
    values = new double[(int) vector.length()];
    totals = ArrayViews.stretch(vector, 0, TOTALS);
    balance = kernels.allocate(DataType.FLOAT, Math.max(1, experts));
    kernels.fill(balance, 0);
    int[] number = {0};
    routers.replaceAll(
        (module, router) ->
            new Router(
                router.first,
                router.experts,
                ArrayViews.stretch(vector, TOTALS + 2L * router.first, 2L * router.experts),
                ArrayViews.stretch(vector, (long) entropies + number[0]++, 1),
                ArrayViews.stretch(balance, router.first, router.experts)));
  }

  /** Forgets what passes before have measured. */
  void begin() {
    allocate();
    kernels.fill(vector, 0);
  }

  /** Sum of the losses, and hits: {@code [2]}. */
  INDArray totals() {
    return totals;
  }

  /** The single losses of a head, {@code [n]}. */
  INDArray losses(int n) {
    if (losses == null || losses.length() < n) {
      if (losses != null) {
        kernels.release(losses);
      }
      losses = kernels.allocate(DataType.FLOAT, n);
    }
    return ArrayViews.stretch(losses, 0, n);
  }

  /** What a router did, {@code [2 · experts]}. */
  INDArray statistics(LinearModule module) {
    return routers.get(module).statistics;
  }

  /** Of a router's probabilities, {@code [1]}. */
  INDArray entropy(LinearModule module) {
    return routers.get(module).entropy;
  }

  /** Gradient of the load-balancing loss by the probabilities of each token, {@code [experts]}. */
  INDArray balance(LinearModule module) {
    return routers.get(module).balance;
  }

  /** Hands the gradients of the load-balancing loss to the routers. */
  void balance(LoadBalance ofWhole) {
    float[] gradients = new float[Math.max(1, experts)];
    routers.forEach(
        (module, router) ->
            System.arraycopy(ofWhole.gradient(module), 0, gradients, router.first, router.experts));
    kernels.write(gradients, balance);
  }

  /** Waits for what was measured since the begin of the pass. */
  void read() {
    kernels.read(vector, values);
  }

  /** Sum of the losses, as it was read. */
  double loss() {
    return values[0];
  }

  /** Labels whose class had the largest logit, as they were read. */
  int hits() {
    return (int) values[1];
  }

  /** What the routers did, as it was read. */
  Map<LinearModule, RoutingStatistics> routing() {
    Map<LinearModule, RoutingStatistics> routing = new LinkedHashMap<>();
    routers.forEach(
        (module, router) ->
            routing.put(
                module, RoutingStatistics.of(values, TOTALS + 2 * router.first, router.experts)));
    return routing;
  }

  /** Sums over the tokens of the entropy of the probabilities, in nats, as they were read. */
  Map<LinearModule, Double> entropies() {
    Map<LinearModule, Double> entropies = new LinkedHashMap<>();
    int next = TOTALS + 2 * experts;
    for (LinearModule module : routers.keySet()) {
      entropies.put(module, values[next++]);
    }
    return entropies;
  }

  @Override
  public void close() {
    if (vector != null) {
      kernels.release(vector);
      kernels.release(balance);
    }
    if (losses != null) {
      kernels.release(losses);
    }
  }
}
