package io.guilomo.kernel;

import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Every kernel on the shapes of a small transformer: 8 sequences of 128 tokens, hidden 384,
 * intermediate 1024, 8 experts of rank 8; {@code portable} kernels are ND4J's own operations.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 300, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 5, time = 300, timeUnit = TimeUnit.MILLISECONDS)
@Fork(1)
public class KernelBenchmarks {

  private static final int SEQUENCES = 8;
  private static final int LENGTH = 128;
  private static final int TOKENS = SEQUENCES * LENGTH;
  private static final int HIDDEN = 384;
  private static final int HEADS = 6;
  private static final int INTERMEDIATE = 1024;
  private static final int EXPERTS = 8;
  private static final int RANK = 64;
  private static final int VOCABULARY = 4096;
  private static final int PARAMETERS = 3_000_000;
  private static final AttentionShape FULL = new AttentionShape(HEADS, HEADS, 64, 0.125f, false, 0);
  private static final AttentionShape CAUSAL =
      new AttentionShape(HEADS, HEADS, 64, 0.125f, true, 0);
  private static final AttentionShape CAPPED =
      new AttentionShape(HEADS, HEADS, 64, 0.125f, true, 64, 50);
  private static final DropoutMask DROPOUT = new DropoutMask(0.05f, 7, 0);
  private static final AdamW ADAMW = new AdamW(0.9, 0.999, 1e-8, 0);

  @Param({"vector", "portable"})
  public String implementation;

  private final Random random = new Random(1);
  private Kernels kernels;

  private final INDArray square = matrix(1024, 1024);
  private final INDArray other = matrix(1024, 1024);
  private final INDArray result = matrix(1024, 1024);
  private final INDArray x = matrix(TOKENS, HIDDEN);
  private final INDArray y = matrix(TOKENS, HIDDEN);
  private final INDArray z = matrix(TOKENS, HIDDEN);
  private final INDArray weight = vector(HIDDEN);
  private final INDArray mean = vector(TOKENS);
  private final INDArray inverse = vector(TOKENS);
  private final INDArray frozen = matrix(2 * INTERMEDIATE, HIDDEN);
  private final INDArray gateUp = matrix(TOKENS, 2 * INTERMEDIATE);
  private final INDArray dGateUp = matrix(TOKENS, 2 * INTERMEDIATE);
  private final INDArray activated = matrix(TOKENS, INTERMEDIATE);
  private final INDArray inner = matrix(TOKENS, INTERMEDIATE);
  private final INDArray dInner = matrix(TOKENS, INTERMEDIATE);

  private final INDArray qkv = matrix(TOKENS, 3 * HIDDEN);
  private final INDArray query = ArrayViews.columns(qkv, 0, HIDDEN);
  private final INDArray key = ArrayViews.columns(qkv, HIDDEN, HIDDEN);
  private final INDArray value = ArrayViews.columns(qkv, 2 * HIDDEN, HIDDEN);
  private final INDArray probabilities = vector(SEQUENCES * HEADS * LENGTH * LENGTH);
  private final INDArray dQuery = matrix(TOKENS, HIDDEN);
  private final INDArray dKey = matrix(TOKENS, HIDDEN);
  private final INDArray dValue = matrix(TOKENS, HIDDEN);
  private final INDArray cosine = matrix(LENGTH, 32);
  private final INDArray sine = matrix(LENGTH, 32);
  private final INDArray newQuery = matrix(SEQUENCES, HIDDEN);
  private final INDArray newResult = matrix(SEQUENCES, HIDDEN);
  private final int[] starts = IntStream.rangeClosed(0, SEQUENCES).map(i -> i * LENGTH).toArray();
  private final int[] newStarts = IntStream.rangeClosed(0, SEQUENCES).toArray();
  private final int[] firstKeys = Arrays.copyOf(starts, SEQUENCES);
  private final int[] lengths = IntStream.range(0, SEQUENCES).map(i -> LENGTH).toArray();
  private final int[] positions = IntStream.range(0, TOKENS).map(t -> t % LENGTH).toArray();

  private final INDArray down = matrix(RANK, HIDDEN);
  private final INDArray h = matrix(TOKENS, RANK);
  private final INDArray scaled = matrix(TOKENS, RANK);
  private final INDArray routerLogits = matrix(TOKENS, EXPERTS);
  private final INDArray routed = matrix(TOKENS, EXPERTS);
  private final INDArray weights = matrix(TOKENS, EXPERTS);
  private final INDArray dLogits = matrix(TOKENS, EXPERTS);
  private final INDArray mask = vector(EXPERTS);
  private final INDArray ones = Nd4j.ones(DataType.FLOAT, TOKENS, EXPERTS);
  private final INDArray coefficients = Nd4j.ones(DataType.FLOAT, RANK);
  private final INDArray dCoefficients = vector(RANK);
  private final ExpertChoice choice = new HostChoice(2 * TOKENS);
  private final INDArray statistics = Nd4j.create(DataType.DOUBLE, 2 * EXPERTS);
  private final int[] firstColumn =
      IntStream.rangeClosed(0, EXPERTS).map(e -> e * RANK / EXPERTS).toArray();

  private final INDArray logits = matrix(TOKENS, VOCABULARY);
  private final int[] labels = random.ints(TOKENS, 0, VOCABULARY).toArray();
  private final INDArray losses = vector(TOKENS);
  private final INDArray totals = Nd4j.create(DataType.DOUBLE, 2);
  private final INDArray flat = vector(PARAMETERS);
  private final INDArray flatGradient = vector(PARAMETERS);
  private final INDArray flatTarget = vector(PARAMETERS);
  private final INDArray first = vector(PARAMETERS);
  private final INDArray second = Nd4j.ones(DataType.FLOAT, PARAMETERS);

  @Setup
  public void prepare() {
    ComputeThreads.limit(Runtime.getRuntime().availableProcessors());
    kernels = KernelSelection.named(implementation);
    route();
    attention();
  }

  @Benchmark
  public void product1024() {
    kernels.product(square, false, other, false, result, false);
  }

  @Benchmark
  public void productFrozen() {
    kernels.product(x, false, frozen, true, gateUp, false);
  }

  @Benchmark
  public void productDown() {
    kernels.product(x, false, down, true, h, false);
  }

  @Benchmark
  public void productDownGradient() {
    kernels.product(h, true, x, false, down, false);
  }

  @Benchmark
  public void addBias() {
    kernels.addBias(y, weight);
  }

  @Benchmark
  public void rmsNorm() {
    kernels.rmsNorm(x, weight, 1e-5f, y, inverse);
  }

  @Benchmark
  public void rmsNormBackward() {
    kernels.rmsNormBackward(y, x, weight, inverse, z);
  }

  @Benchmark
  public void layerNorm() {
    kernels.layerNorm(x, weight, weight, 1e-5f, y, mean, inverse);
  }

  @Benchmark
  public void layerNormBackward() {
    kernels.layerNormBackward(y, x, weight, mean, inverse, z);
  }

  @Benchmark
  public void dropout() {
    kernels.dropout(x, DROPOUT, y);
  }

  @Benchmark
  public void dropoutBackward() {
    kernels.dropoutBackward(x, DROPOUT, z);
  }

  @Benchmark
  public void gatedSilu() {
    kernels.gated(Activation.SILU, gateUp, activated);
  }

  @Benchmark
  public void gatedSiluBackward() {
    kernels.gatedBackward(Activation.SILU, activated, gateUp, dGateUp);
  }

  @Benchmark
  public void gatedGeluTanh() {
    kernels.gated(Activation.GELU_TANH, gateUp, activated);
  }

  @Benchmark
  public void gatedGeluTanhBackward() {
    kernels.gatedBackward(Activation.GELU_TANH, activated, gateUp, dGateUp);
  }

  @Benchmark
  public void gelu() {
    kernels.activate(Activation.GELU, inner, activated);
  }

  @Benchmark
  public void geluBackward() {
    kernels.activateBackward(Activation.GELU, activated, inner, dInner);
  }

  @Benchmark
  public void rotate() {
    kernels.rotate(query, positions, HEADS, cosine, sine, false);
  }

  @Benchmark
  public void attention() {
    kernels.attention(FULL, starts, query, key, value, probabilities, y);
  }

  @Benchmark
  public void attentionBackward() {
    kernels.attentionBackward(
        FULL, starts, y, query, key, value, y, probabilities, dQuery, dKey, dValue);
  }

  @Benchmark
  public void causalAttention() {
    kernels.attention(CAUSAL, starts, query, key, value, probabilities, y);
  }

  @Benchmark
  public void causalAttentionBackward() {
    kernels.attentionBackward(
        CAUSAL, starts, y, query, key, value, y, probabilities, dQuery, dKey, dValue);
  }

  @Benchmark
  public void cappedAttention() {
    kernels.attention(CAPPED, starts, query, key, value, probabilities, y);
  }

  @Benchmark
  public void cappedAttentionBackward() {
    kernels.attentionBackward(
        CAPPED, starts, y, query, key, value, y, probabilities, dQuery, dKey, dValue);
  }

  @Benchmark
  public void softcap() {
    kernels.softcap(logits, 30);
  }

  @Benchmark
  public void cachedAttention() {
    kernels.cachedAttention(CAUSAL, newStarts, firstKeys, lengths, newQuery, key, value, newResult);
  }

  @Benchmark
  public void route() {
    kernels.route(routerLogits, mask, 2, false, choice, routed, weights, statistics);
  }

  @Benchmark
  public void routeBackward() {
    kernels.routeBackward(routerLogits, null, 2, choice, routed, weights, dLogits);
  }

  @Benchmark
  public void scaleExperts() {
    kernels.scaleExperts(h, ones, coefficients, firstColumn, scaled);
  }

  @Benchmark
  public void scaleExpertsBackward() {
    kernels.scaleExpertsBackward(
        scaled, h, true, ones, coefficients, firstColumn, dLogits, dCoefficients);
  }

  @Benchmark
  public void columnSums() {
    kernels.columnSums(routerLogits, mask);
  }

  @Benchmark
  public void crossEntropy() {
    kernels.crossEntropy(logits, labels, 1f / TOKENS, false, losses, totals);
  }

  @Benchmark
  public void crossEntropyGradient() {
    kernels.crossEntropy(logits, labels, 1f / TOKENS, true, losses, totals);
  }

  @Benchmark
  public void adamW() {
    kernels.adamW(ADAMW, 3e-4, 10, flat, flatGradient, first, second, flatTarget, false);
  }

  @Benchmark
  public void addScaled() {
    kernels.addScaled(flat, 0.1, flatGradient, flatTarget);
  }

  @Benchmark
  public void copy() {
    kernels.copy(flat, flatTarget);
  }

  @Benchmark
  public double norm() {
    return kernels.norm(flatGradient);
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
