package io.guilomo.kernel;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/** Elementary functions on vectors of floats, to a few units in the last place. */
class VectorMath {
  private static final float LOG2_E = 1.44269504f;
  /** {@code 1.5 · 2²³}: adding it rounds to an integer, which the low bits of the sum then hold. */
  private static final float ROUNDER = 12582912f;

  private static final float LN2_HIGH = 0.693359375f;
  private static final float LN2_LOW = -2.12194440e-4f;
  private static final float SMALLEST = -87.33654f;
  private static final float LARGEST = 88.72283f;
  private static final float ERF_IS_ONE = 4;

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

  private VectorMath() {}

  /** Cephes' polynomial; 0 below the normal numbers. */
  static FloatVector exp(FloatVector x) {
    FloatVector rounded = x.lanewise(VectorOperators.FMA, LOG2_E, ROUNDER);
    FloatVector n = rounded.sub(ROUNDER);
    FloatVector r = n.lanewise(VectorOperators.FMA, FloatVector.broadcast(FloatMemory.SPECIES, -LN2_HIGH), x);
    r = n.lanewise(VectorOperators.FMA, FloatVector.broadcast(FloatMemory.SPECIES, -LN2_LOW), r);
    FloatVector p = FloatVector.broadcast(FloatMemory.SPECIES, 1.9875691500e-4f);
    p = p.fma(r, FloatVector.broadcast(FloatMemory.SPECIES, 1.3981999507e-3f));
    p = p.fma(r, FloatVector.broadcast(FloatMemory.SPECIES, 8.3334519073e-3f));
    p = p.fma(r, FloatVector.broadcast(FloatMemory.SPECIES, 4.1665795894e-2f));
    p = p.fma(r, FloatVector.broadcast(FloatMemory.SPECIES, 1.6666665459e-1f));
    p = p.fma(r, FloatVector.broadcast(FloatMemory.SPECIES, 5.0000001201e-1f));
    p = p.fma(r.mul(r), r).add(1f);
    FloatVector scaled =
        p.reinterpretAsInts()
            .add(rounded.reinterpretAsInts().lanewise(VectorOperators.LSHL, 23))
            .reinterpretAsFloats();
    return scaled
        .blend(0f, x.compare(VectorOperators.LT, SMALLEST))
        .blend(Float.POSITIVE_INFINITY, x.compare(VectorOperators.GT, LARGEST));
  }

  static FloatVector sigmoid(FloatVector x) {
    return FloatVector.broadcast(FloatMemory.SPECIES, 1f).div(exp(x.neg()).add(1f));
  }

  static float sigmoid(float x) {
    return (float) (1 / (1 + Math.exp(-x)));
  }

  /** {@code Φ(x)}, with the rational approximation of the error function that Eigen uses. */
  static FloatVector normalDistribution(FloatVector x) {
    FloatVector z = x.mul((float) Math.sqrt(0.5));
    FloatVector square = z.mul(z);
    FloatVector p = FloatVector.broadcast(FloatMemory.SPECIES, ERF_P[0]);
    p = p.fma(square, FloatVector.broadcast(FloatMemory.SPECIES, ERF_P[1]));
    p = p.fma(square, FloatVector.broadcast(FloatMemory.SPECIES, ERF_P[2]));
    p = p.fma(square, FloatVector.broadcast(FloatMemory.SPECIES, ERF_P[3]));
    p = p.fma(square, FloatVector.broadcast(FloatMemory.SPECIES, ERF_P[4]));
    p = p.fma(square, FloatVector.broadcast(FloatMemory.SPECIES, ERF_P[5]));
    p = p.fma(square, FloatVector.broadcast(FloatMemory.SPECIES, ERF_P[6]));
    FloatVector q = FloatVector.broadcast(FloatMemory.SPECIES, ERF_Q[0]);
    q = q.fma(square, FloatVector.broadcast(FloatMemory.SPECIES, ERF_Q[1]));
    q = q.fma(square, FloatVector.broadcast(FloatMemory.SPECIES, ERF_Q[2]));
    q = q.fma(square, FloatVector.broadcast(FloatMemory.SPECIES, ERF_Q[3]));
    q = q.fma(square, FloatVector.broadcast(FloatMemory.SPECIES, ERF_Q[4]));
    FloatVector erf =
        z.mul(p)
            .div(q)
            .blend(1f, z.compare(VectorOperators.GE, ERF_IS_ONE))
            .blend(-1f, z.compare(VectorOperators.LE, -ERF_IS_ONE));
    return erf.lanewise(VectorOperators.FMA, 0.5f, 0.5f);
  }

  static float normalDistribution(float x) {
    float z = x * (float) Math.sqrt(0.5);
    if (Math.abs(z) >= ERF_IS_ONE) {
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
