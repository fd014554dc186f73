package io.guilomo.kernel.nd4j;

import io.guilomo.kernel.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.impl.transforms.strict.Erf;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.ops.transforms.Transforms;

/**
 * Activations and their slopes, both of an inner function that saturates, such as the sigmoid of
 * SiLU. Results are new arrays.
 */
final class Nd4jActivations {
  private static final double SQRT_HALF = Math.sqrt(0.5);
  private static final double SQRT_TWO_PI = Math.sqrt(2 * Math.PI);
  private static final double TWICE_SQRT_TWO_BY_PI = 2 * Math.sqrt(2 / Math.PI);
  private static final double CUBIC = 0.044715;

  /** Where GELU and its approximation have become 0 or the identity, in 32-bit floats. */
  private static final double SATURATED = 10;

  private Nd4jActivations() {}

  static INDArray inner(Activation activation, INDArray x) {
    return switch (activation) {
      case SILU -> Transforms.sigmoid(x, true);
      case GELU -> normalDistribution(x);
      // (1 + tanh(u)) / 2 = σ(2u), which loses no digits where it is small
      case GELU_TANH -> {
        INDArray z = clamped(x);
        INDArray cubic = z.mul(z).muli(CUBIC).addi(1);
        yield Transforms.sigmoid(cubic.muli(z).muli(TWICE_SQRT_TWO_BY_PI), false);
      }
      case RELU -> x.gt(0).castTo(DataType.FLOAT);
      case TANH -> Transforms.tanh(x, true);
    };
  }

  /** The activation, given the {@link #inner} function. */
  static INDArray value(Activation activation, INDArray x, INDArray inner) {
    return switch (activation) {
      case SILU, GELU, GELU_TANH, RELU -> inner.mul(x);
      case TANH -> inner.dup('c');
    };
  }

  /** The derivative, given the {@link #inner} function. */
  static INDArray slope(Activation activation, INDArray x, INDArray inner) {
    return switch (activation) {
      // σ + silu (1 − σ)
      case SILU -> inner.rsub(1).muli(x.mul(inner)).addi(inner);
      case GELU -> {
        INDArray density = Transforms.exp(x.mul(x).muli(-0.5), false).divi(SQRT_TWO_PI);
        yield density.muli(x).addi(inner);
      }
      // σ + x σ (1 − σ) · 2√(2/π) (1 + 3 · 0.044715 x²)
      case GELU_TANH -> {
        INDArray z = clamped(x);
        INDArray steep = z.mul(z).muli(3 * CUBIC).addi(1).muli(z).muli(TWICE_SQRT_TWO_BY_PI);
        yield inner.rsub(1).muli(inner).muli(steep).addi(inner);
      }
      case RELU -> inner.dup('c');
      case TANH -> inner.mul(inner).rsubi(1);
    };
  }

  static INDArray softcap(INDArray x, float cap) {
    return Transforms.tanh(x.div(cap), false).muli(cap);
  }

  /** The derivative of {@link #softcap}, given its value. */
  static INDArray softcapSlope(INDArray y, float cap) {
    INDArray tanh = y.div(cap);
    return tanh.muli(tanh).rsubi(1);
  }

  private static INDArray clamped(INDArray x) {
    return Transforms.min(Transforms.max(x, -SATURATED, true), SATURATED, false);
  }

  /** {@code Φ(x)}. */
  private static INDArray normalDistribution(INDArray x) {
    INDArray argument = x.mul(SQRT_HALF);
    return Nd4j.exec(new Erf(argument, argument)).addi(1).muli(0.5);
  }
}
