package io.guilomo.kernel.vector;

import static io.guilomo.kernel.vector.VectorMath.ONE;
import static io.guilomo.kernel.vector.VectorMath.ZERO;
import static io.guilomo.kernel.vector.VectorMemory.LANES;
import static io.guilomo.kernel.vector.VectorMemory.SPECIES;

import io.guilomo.kernel.Activation;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/**
 * An activation and its slopes along one row at a time, in arrays of whole vectors: first an inner
 * function that saturates, such as the sigmoid of SiLU, then what is made of it.
 */
final class ActivationRow {
  private static final float CUBIC = 0.044715f;
  private static final float TWICE_SQRT_TWO_BY_PI = (float) (2 * Math.sqrt(2 / Math.PI));
  private static final FloatVector LINEAR_TERM = vector(TWICE_SQRT_TWO_BY_PI);
  private static final FloatVector CUBIC_TERM = vector(TWICE_SQRT_TWO_BY_PI * CUBIC);
  private static final FloatVector CUBIC_SLOPE = vector(TWICE_SQRT_TWO_BY_PI * 3 * CUBIC);
  private static final FloatVector DENSITY_AT_0 = vector((float) (1 / Math.sqrt(2 * Math.PI)));
  private static final FloatVector MINUS_HALF = vector(-0.5f);

  /** Beyond it GELU is 0 or the identity to the last bit; powers of its argument must be finite. */
  private static final FloatVector SATURATED = vector(10);

  private static final FloatVector MINUS_SATURATED = vector(-10);

  private static final ThreadLocal<ActivationRow> OF_THREAD =
      ThreadLocal.withInitial(ActivationRow::new);

  private Activation activation;
  private int columns;
  private int padded;
  private float[] arguments = {};
  private float[] inner = {};
  private float[] values = {};
  private float[] slopes = {};

  private ActivationRow() {}

  /**
   * The thread's own, for rows of one matrix; its arrays grow to the longest row so far.
   *
   * @param columns of a row that the activation is applied to, the first ones
   */
  static ActivationRow ofThread(Activation activation, int columns) {
    ActivationRow row = OF_THREAD.get();
    row.activation = activation;
    row.columns = columns;
    row.padded = (columns + LANES - 1) / LANES * LANES;
    if (row.arguments.length < row.padded) {
      row.arguments = new float[row.padded];
      row.inner = new float[row.padded];
      row.values = new float[row.padded];
      row.slopes = new float[row.padded];
    }
    return row;
  }

  private static FloatVector vector(float value) {
    return FloatVector.broadcast(SPECIES, value);
  }

  FloatVector valueVector(int column) {
    return load(values, column);
  }

  float value(int column) {
    return values[column];
  }

  FloatVector slopeVector(int column) {
    return load(slopes, column);
  }

  float slope(int column) {
    return slopes[column];
  }

  /** Computes the values at a row of {@code x}. */
  void evaluate(VectorMemory x, int row) {
    int c = 0;
    for (; c <= columns - LANES; c += LANES) {
      x.load(x.at(row, c)).intoArray(arguments, c);
    }
    for (; c < columns; c++) {
      arguments[c] = x.get(x.at(row, c));
    }
    switch (activation) {
      case SILU -> {
        sigmoids();
        innerTimesArguments();
      }
      case GELU -> {
        distributions();
        innerTimesArguments();
      }
      case GELU_TANH -> {
        sigmoidsOfCubics();
        innerTimesArguments();
      }
      case RELU -> rectify();
      case TANH -> tanhs();
    }
  }

  /** Computes the slopes at the row that {@link #evaluate} has read last. */
  void differentiate() {
    switch (activation) {
      case SILU -> siluSlopes();
      case GELU -> geluSlopes();
      case GELU_TANH -> geluTanhSlopes();
      case RELU -> steps();
      case TANH -> tanhSlopes();
    }
  }

  private void sigmoids() {
    for (int c = 0; c < padded; c += LANES) {
      VectorMath.sigmoid(load(arguments, c)).intoArray(inner, c);
    }
  }

  private void distributions() {
    for (int c = 0; c < padded; c += LANES) {
      VectorMath.normalDistribution(load(arguments, c)).intoArray(inner, c);
    }
  }

  /** {@code (1 + tanh(u)) / 2 = σ(2u)}, which loses no digits where it is small. */
  private void sigmoidsOfCubics() {
    for (int c = 0; c < padded; c += LANES) {
      FloatVector z = load(arguments, c).min(SATURATED).max(MINUS_SATURATED);
      VectorMath.sigmoid(CUBIC_TERM.fma(z.mul(z), LINEAR_TERM).mul(z)).intoArray(inner, c);
    }
  }

  private void tanhs() {
    for (int c = 0; c < padded; c += LANES) {
      VectorMath.tanh(load(arguments, c)).intoArray(values, c);
    }
  }

  private void innerTimesArguments() {
    for (int c = 0; c < padded; c += LANES) {
      load(inner, c).mul(load(arguments, c)).intoArray(values, c);
    }
  }

  private void rectify() {
    for (int c = 0; c < padded; c += LANES) {
      load(arguments, c).max(ZERO).intoArray(values, c);
    }
  }

  /** {@code σ + silu (1 − σ)}. */
  private void siluSlopes() {
    for (int c = 0; c < padded; c += LANES) {
      FloatVector sigmoid = load(inner, c);
      FloatVector silu = load(values, c);
      silu.sub(silu.mul(sigmoid)).add(sigmoid).intoArray(slopes, c);
    }
  }

  /** {@code Φ(x) + x φ(x)}. */
  private void geluSlopes() {
    for (int c = 0; c < padded; c += LANES) {
      FloatVector x = load(arguments, c);
      FloatVector density = VectorMath.exp(x.mul(x).mul(MINUS_HALF)).mul(x);
      density.fma(DENSITY_AT_0, load(inner, c)).intoArray(slopes, c);
    }
  }

  /** {@code σ + x σ (1 − σ) · 2√(2/π) (1 + 3 · 0.044715 x²)}. */
  private void geluTanhSlopes() {
    for (int c = 0; c < padded; c += LANES) {
      FloatVector z = load(arguments, c).min(SATURATED).max(MINUS_SATURATED);
      FloatVector sigmoid = load(inner, c);
      FloatVector steep = CUBIC_SLOPE.fma(z.mul(z), LINEAR_TERM).mul(z);
      steep.mul(sigmoid).fma(ONE.sub(sigmoid), sigmoid).intoArray(slopes, c);
    }
  }

  private void steps() {
    for (int c = 0; c < padded; c += LANES) {
      ZERO.blend(ONE, load(arguments, c).compare(VectorOperators.GT, ZERO)).intoArray(slopes, c);
    }
  }

  private void tanhSlopes() {
    for (int c = 0; c < padded; c += LANES) {
      FloatVector t = load(values, c);
      ONE.sub(t.mul(t)).intoArray(slopes, c);
    }
  }

  private static FloatVector load(float[] array, int at) {
    return FloatVector.fromArray(SPECIES, array, at);
  }
}
