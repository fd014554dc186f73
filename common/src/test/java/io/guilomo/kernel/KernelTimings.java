package io.guilomo.kernel;

import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Prints how long operations take on the shapes of a small transformer: {@code KernelTimings
 * [seconds per operation [threads]]}. With one thread it is that thread's processor time, which
 * other programs disturb less.
 */
class KernelTimings {
  private static final int T = 1024;
  private static final int HIDDEN = 384;
  private static final int INTERMEDIATE = 1024;
  private static final int RANK = 64;
  private static final int EXPERTS = 8;
  private static final int VOCABULARY = 4096;
  private static final int PARAMETERS = 3_000_000;

  private final Random random = new Random(1);
  private final double seconds;
  private final boolean alone;

  private KernelTimings(double seconds, boolean alone) {
    this.seconds = seconds;
    this.alone = alone;
  }

  public static void main(String[] arguments) {
    int threads =
        arguments.length > 1
            ? Integer.parseInt(arguments[1])
            : Runtime.getRuntime().availableProcessors();
    ComputeThreads.limit(threads);
    KernelTimings timings =
        new KernelTimings(
            arguments.length > 0 ? Double.parseDouble(arguments[0]) : 1, threads == 1);
    System.out.printf(
        "%-26s %12s %12s %12s %12s%n", "ms", "vector best", "median", "portable", "median");
    timings.run();
  }

  private interface Operation {
    void run(Kernels kernels);
  }

  private void time(String name, Operation operation) {
    Kernels[] both = {new VectorKernels(), new Nd4jKernels()};
    StringBuilder line = new StringBuilder(String.format("%-26s", name));
    for (Kernels kernels : both) {
      double[] times = new double[20000];
      int runs = 0;
      long end = System.nanoTime() + (long) (seconds * 1e9);
      while (runs < 10 || (System.nanoTime() < end && runs < times.length)) {
        long start = now();
        operation.run(kernels);
        times[runs++] = (now() - start) / 1e6;
      }
      double[] sorted = Arrays.copyOf(times, runs);
      Arrays.sort(sorted);
      line.append(String.format(" %12.3f %12.3f", sorted[0], sorted[runs / 2]));
    }
    System.out.println(line);
  }

  private long now() {
    return alone
        ? ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime()
        : System.nanoTime();
  }

  private void run() {
    INDArray x = matrix(T, HIDDEN);
    INDArray y = matrix(T, HIDDEN);
    INDArray z = matrix(T, HIDDEN);
    products(x);
    INDArray weight = vector(HIDDEN);
    INDArray mean = Nd4j.create(T);
    INDArray inverse = Nd4j.create(T);
    time("rmsNorm", k -> k.rmsNorm(x, weight, 1e-5f, y, inverse));
    time("rmsNormBackward", k -> k.rmsNormBackward(y, x, weight, inverse, z));
    time("layerNorm", k -> k.layerNorm(x, weight, weight, 1e-5f, y, mean, inverse));
    time("layerNormBackward", k -> k.layerNormBackward(y, x, weight, mean, inverse, z));
    time("addBias", k -> k.addBias(y, weight));
    time("dropout", k -> k.dropout(x, 0.05f, 7, y));
    time("dropoutBackward", k -> k.dropoutBackward(x, 0.05f, 7, y));
    INDArray gateUp = matrix(T, 2 * INTERMEDIATE);
    INDArray dGateUp = matrix(T, 2 * INTERMEDIATE);
    INDArray activated = matrix(T, INTERMEDIATE);
    time("swiGlu", k -> k.swiGlu(gateUp, activated));
    time("swiGluBackward", k -> k.swiGluBackward(activated, gateUp, dGateUp));
    INDArray inner = matrix(T, INTERMEDIATE);
    INDArray dInner = matrix(T, INTERMEDIATE);
    time("gelu", k -> k.gelu(inner, activated));
    time("geluBackward", k -> k.geluBackward(inner, inner, dInner));
    attention("attention", new AttentionShape(6, 6, 64, 0.125f, false, 0));
    attention("causal attention", new AttentionShape(6, 6, 64, 0.125f, true, 0));
    experts();
    INDArray logits = matrix(T, VOCABULARY);
    int[] labels = random.ints(T, 0, VOCABULARY).toArray();
    float[] losses = new float[T];
    time("crossEntropy", k -> k.crossEntropy(logits, labels, 1f / T, false, losses));
    time("crossEntropy, gradient", k -> k.crossEntropy(logits, labels, 1f / T, true, losses));
    steps();
  }

  private void products(INDArray x) {
    INDArray square = matrix(1024, 1024);
    INDArray other = matrix(1024, 1024);
    INDArray result = matrix(1024, 1024);
    time("product 1024³", k -> k.product(square, false, other, false, result, false));
    INDArray w = matrix(1024, HIDDEN);
    time("product x Wᵀ 384→1024", k -> k.product(x, false, w, true, result, false));
    INDArray a = matrix(RANK, HIDDEN);
    INDArray h = matrix(T, RANK);
    time("product x Aᵀ", k -> k.product(x, false, a, true, h, false));
    INDArray da = matrix(RANK, HIDDEN);
    time("product dhᵀ x", k -> k.product(h, true, x, false, da, false));
  }

  private void attention(String name, AttentionShape shape) {
    int[] starts = new int[9];
    for (int i = 0; i < starts.length; i++) {
      starts[i] = 128 * i;
    }
    INDArray qkv = matrix(T, 3 * HIDDEN);
    INDArray q = Nd4jOperations.columns(qkv, 0, HIDDEN);
    INDArray k = Nd4jOperations.columns(qkv, HIDDEN, 2 * HIDDEN);
    INDArray v = Nd4jOperations.columns(qkv, 2 * HIDDEN, 3 * HIDDEN);
    INDArray p = Nd4j.create(8 * 6 * 128 * 128);
    INDArray y = matrix(T, HIDDEN);
    INDArray dq = matrix(T, HIDDEN);
    INDArray dk = matrix(T, HIDDEN);
    INDArray dv = matrix(T, HIDDEN);
    time(name, kernels -> kernels.attention(shape, starts, q, k, v, p, y));
    time(
        name + ", backward",
        kernels -> kernels.attentionBackward(shape, starts, y, q, k, v, p, dq, dk, dv));
    INDArray cosine = matrix(128, 32);
    INDArray sine = matrix(128, 32);
    int[] positions = IntStream.range(0, T).map(t -> t % 128).toArray();
    time("rotate", kernels -> kernels.rotate(q, positions, 6, cosine, sine, false));
    int[] newStarts = IntStream.rangeClosed(0, 8).toArray();
    int[] firstKeys = Arrays.copyOf(starts, 8);
    int[] lengths = new int[8];
    Arrays.fill(lengths, 128);
    INDArray newQuery = matrix(8, HIDDEN);
    INDArray newResult = matrix(8, HIDDEN);
    if (shape.causal()) {
      time(
          "cached attention",
          kernels ->
              kernels.cachedAttention(
                  shape, newStarts, firstKeys, lengths, newQuery, k, v, newResult));
    }
  }

  private void experts() {
    INDArray logits = matrix(T, EXPERTS);
    INDArray mask = vector(EXPERTS);
    INDArray p = matrix(T, EXPERTS);
    INDArray weights = matrix(T, EXPERTS);
    INDArray dLogits = matrix(T, EXPERTS);
    int[] choice = new int[2 * T];
    time("route", k -> k.route(logits, mask, 2, false, choice, p, weights));
    time("routeBackward", k -> k.routeBackward(logits, null, 2, choice, p, weights, dLogits));
    INDArray h = matrix(T, RANK);
    INDArray z = matrix(T, RANK);
    INDArray coefficients = Nd4j.ones(DataType.FLOAT, RANK);
    INDArray dCoefficients = vector(RANK);
    int[] firstColumn = new int[EXPERTS + 1];
    for (int e = 0; e <= EXPERTS; e++) {
      firstColumn[e] = e * RANK / EXPERTS;
    }
    INDArray ones = Nd4j.ones(DataType.FLOAT, T, EXPERTS);
    time("scaleExperts", k -> k.scaleExperts(h, ones, coefficients, firstColumn, z));
    time(
        "scaleExpertsBackward",
        k ->
            k.scaleExpertsBackward(
                z, h, true, ones, coefficients, firstColumn, dLogits, dCoefficients));
    time("columnSums of logits", k -> k.columnSums(logits, mask));
  }

  private void steps() {
    INDArray w = vector(PARAMETERS);
    INDArray g = vector(PARAMETERS);
    INDArray m = vector(PARAMETERS);
    INDArray v = Nd4j.ones(DataType.FLOAT, PARAMETERS);
    INDArray target = vector(PARAMETERS);
    AdamW settings = new AdamW(0.9, 0.999, 1e-8, 0);
    time("adamW", k -> k.adamW(settings, 3e-4, 10, w, g, m, v, target, false));
    time("adamW, advance", k -> k.adamW(settings, 3e-4, 10, w, g, m, v, w, true));
    time("addScaled", k -> k.addScaled(w, 0.1, g, target));
    time("copy", k -> k.copy(w, target));
    time("norm", k -> k.norm(g));
  }

  private INDArray matrix(int rows, int columns) {
    return vector(rows * columns).reshape(rows, columns);
  }

  private INDArray vector(int length) {
    float[] values = new float[length];
    for (int i = 0; i < length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return Nd4j.createFromArray(values);
  }
}
