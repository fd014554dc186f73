package io.guilomo.kernel.vector;

import static io.guilomo.kernel.vector.VectorMemory.SPECIES;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Elementary functions on vectors of floats, to a few units in the last place. The compiler gives
 * up on a method with very many vector operations and then allocates each vector: hence constants
 * that are vectors already, and at most one of these functions to a loop.
 */
class VectorMath {
  static final FloatVector ZERO = vector(0);
  static final FloatVector ONE = vector(1);

  private static final FloatVector HALF = vector(0.5f);
  private static final FloatVector LOG2_E = vector(1.44269504f);

  /** {@code 1.5 · 2²³}: adding it rounds to an integer, which the low bits of the sum then hold. */
  private static final FloatVector ROUNDER = vector(12582912f);

  private static final FloatVector MINUS_LN2_HIGH = vector(-0.693359375f);
  private static final FloatVector MINUS_LN2_LOW = vector(2.12194440e-4f);
  private static final FloatVector SMALLEST = vector(-87.33654f);
  private static final FloatVector LARGEST = vector(88);
  private static final FloatVector EXP_5 = vector(1.9875691500e-4f);
  private static final FloatVector EXP_4 = vector(1.3981999507e-3f);
  private static final FloatVector EXP_3 = vector(8.3334519073e-3f);
  private static final FloatVector EXP_2 = vector(4.1665795894e-2f);
  private static final FloatVector EXP_1 = vector(1.6666665459e-1f);
  private static final FloatVector EXP_0 = vector(5.0000001201e-1f);

  private static final FloatVector SQRT_HALF = vector((float) Math.sqrt(0.5));
  private static final FloatVector ERF_LIMIT = vector(4);
  private static final FloatVector MINUS_ERF_LIMIT = vector(-4);
  private static final float[] ERF_P = {
    -2.72614225801306e-10f,
    2.77068142495902e-08f,
    -2.10102402082508e-06f,
    -5.69250639462346e-05f,
    -7.34990630326855e-04f,
    -2.95459980854025e-03f,
    -1.60960333262415e-02f
  };
  private static final float[] ERF_Q = {
    -1.45660718464996e-05f,
    -2.13374055278905e-04f,
    -1.68282697438203e-03f,
    -7.37332916720468e-03f,
    -1.42647390514189e-02f
  };
  private static final FloatVector ERF_P_6 = vector(ERF_P[0]);
  private static final FloatVector ERF_P_5 = vector(ERF_P[1]);
  private static final FloatVector ERF_P_4 = vector(ERF_P[2]);
  private static final FloatVector ERF_P_3 = vector(ERF_P[3]);
  private static final FloatVector ERF_P_2 = vector(ERF_P[4]);
  private static final FloatVector ERF_P_1 = vector(ERF_P[5]);
  private static final FloatVector ERF_P_0 = vector(ERF_P[6]);
  private static final FloatVector ERF_Q_4 = vector(ERF_Q[0]);
  private static final FloatVector ERF_Q_3 = vector(ERF_Q[1]);
  private static final FloatVector ERF_Q_2 = vector(ERF_Q[2]);
  private static final FloatVector ERF_Q_1 = vector(ERF_Q[3]);
  private static final FloatVector ERF_Q_0 = vector(ERF_Q[4]);

  /** Where the approximation of tanh is exactly 1. */
  private static final FloatVector TANH_LIMIT = vector(7.99881172180175781f);

  private static final FloatVector MINUS_TANH_LIMIT = vector(-7.99881172180175781f);
  private static final FloatVector TANH_P_6 = vector(-2.76076847742355e-16f);
  private static final FloatVector TANH_P_5 = vector(2.00018790482477e-13f);
  private static final FloatVector TANH_P_4 = vector(-8.60467152213735e-11f);
  private static final FloatVector TANH_P_3 = vector(5.12229709037114e-08f);
  private static final FloatVector TANH_P_2 = vector(1.48572235717979e-05f);
  private static final FloatVector TANH_P_1 = vector(6.37261928875436e-04f);
  private static final FloatVector TANH_P_0 = vector(4.89352455891786e-03f);
  private static final FloatVector TANH_Q_3 = vector(1.19825839466702e-06f);
  private static final FloatVector TANH_Q_2 = vector(1.18534705686654e-04f);
  private static final FloatVector TANH_Q_1 = vector(2.26843463243900e-03f);
  private static final FloatVector TANH_Q_0 = vector(4.89352518554385e-03f);

  private VectorMath() {}

  private static FloatVector vector(float value) {
    return FloatVector.broadcast(SPECIES, value);
  }

  /**
   * For arguments up to 88, above which it overflows. Cephes' polynomial; 0 below the normal
   * numbers.
   */
  static FloatVector exp(FloatVector x) {
    FloatVector rounded = x.fma(LOG2_E, ROUNDER);
    FloatVector n = rounded.sub(ROUNDER);
    FloatVector r = n.fma(MINUS_LN2_LOW, n.fma(MINUS_LN2_HIGH, x));
    FloatVector p = EXP_5.fma(r, EXP_4).fma(r, EXP_3).fma(r, EXP_2).fma(r, EXP_1).fma(r, EXP_0);
    p = p.fma(r.mul(r), r).add(ONE);
    FloatVector scaled =
        p.reinterpretAsInts()
            .add(rounded.reinterpretAsInts().lanewise(VectorOperators.LSHL, 23))
            .reinterpretAsFloats();
    return scaled.blend(ZERO, x.compare(VectorOperators.LT, SMALLEST));
  }

  static FloatVector sigmoid(FloatVector x) {
    return ONE.div(exp(x.neg().min(LARGEST)).add(ONE));
  }

  static float sigmoid(float x) {
    return (float) (1 / (1 + Math.exp(-x)));
  }

  /** The rational approximation that Eigen uses, within 3e-7 of the value and never beyond ±1. */
  static FloatVector tanh(FloatVector x) {
    FloatVector z = x.min(TANH_LIMIT).max(MINUS_TANH_LIMIT);
    FloatVector square = z.mul(z);
    FloatVector p =
        TANH_P_6
            .fma(square, TANH_P_5)
            .fma(square, TANH_P_4)
            .fma(square, TANH_P_3)
            .fma(square, TANH_P_2)
            .fma(square, TANH_P_1)
            .fma(square, TANH_P_0);
    FloatVector q = TANH_Q_3.fma(square, TANH_Q_2).fma(square, TANH_Q_1).fma(square, TANH_Q_0);
    return z.mul(p).div(q);
  }

  /** {@code Φ(x)}, with the rational approximation of the error function that Eigen uses. */
  static FloatVector normalDistribution(FloatVector x) {
    // The approximation is exactly 1 at 4, where the function first rounds to it.
    FloatVector z = x.mul(SQRT_HALF).min(ERF_LIMIT).max(MINUS_ERF_LIMIT);
    FloatVector square = z.mul(z);
    FloatVector p =
        ERF_P_6
            .fma(square, ERF_P_5)
            .fma(square, ERF_P_4)
            .fma(square, ERF_P_3)
            .fma(square, ERF_P_2)
            .fma(square, ERF_P_1)
            .fma(square, ERF_P_0);
    FloatVector q =
        ERF_Q_4.fma(square, ERF_Q_3).fma(square, ERF_Q_2).fma(square, ERF_Q_1).fma(square, ERF_Q_0);
    return z.mul(p).div(q).fma(HALF, HALF);
  }

  static float normalDistribution(float x) {
    float z = x * (float) Math.sqrt(0.5);
    if (Math.abs(z) >= 4) {
      return z > 0 ? 1 : 0;
    }
    float p = 0;
    for (float coefficient : ERF_P) {
      p = Math.fma(p, z * z, coefficient);
    }
    float q = 0;
    for (float coefficient : ERF_Q) {
      q = Math.fma(q, z * z, coefficient);
    }
    return Math.fma(z * p / q, 0.5f, 0.5f);
  }
}
