package io.guilomo.kernel.vector;

import static io.guilomo.kernel.vector.VectorMemory.LANES;

import io.guilomo.kernel.Activation;
import io.guilomo.kernel.DropoutMask;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Activations and dropout. What most models have, gates of SiLU and plain GELU, is written out;
 * {@link VectorGates} have the others.
 */
class VectorActivations {
  private static final VectorSpecies<Integer> WORDS = IntVector.SPECIES_PREFERRED;
  private static final float INVERSE_SQRT_TWO_PI = (float) (1 / Math.sqrt(2 * Math.PI));

  private static final FloatVector DENSITY_AT_0 =
      FloatVector.broadcast(VectorMemory.SPECIES, INVERSE_SQRT_TWO_PI);
  private static final FloatVector MINUS_HALF = FloatVector.broadcast(VectorMemory.SPECIES, -0.5f);

  private VectorActivations() {}

  static void activate(Activation activation, VectorMemory x, VectorMemory y) {
    if (activation == Activation.GELU) {
      gelu(x, y);
    } else {
      VectorGates.activate(activation, x, y);
    }
  }

  static void activateBackward(
      Activation activation, VectorMemory dy, VectorMemory x, VectorMemory dx) {
    if (activation == Activation.GELU) {
      geluBackward(dy, x, dx);
    } else {
      VectorGates.activateBackward(activation, dy, x, dx);
    }
  }

  static void gated(Activation activation, VectorMemory gateUp, VectorMemory y) {
    if (activation == Activation.SILU) {
      swiGlu(gateUp, y);
    } else {
      VectorGates.gated(activation, gateUp, y);
    }
  }

  static void gatedBackward(
      Activation activation, VectorMemory dy, VectorMemory gateUp, VectorMemory dGateUp) {
    if (activation == Activation.SILU) {
      swiGluBackward(dy, gateUp, dGateUp);
    } else {
      VectorGates.gatedBackward(activation, dy, gateUp, dGateUp);
    }
  }

  private static void swiGlu(VectorMemory gateUp, VectorMemory y) {
    int n = y.columns;
    VectorRows.forRows(
        y,
        (from, to) -> {
          for (int row = from; row < to; row++) {
            int c = 0;
            for (; c < y.bound(); c += LANES) {
              FloatVector gate = gateUp.load(gateUp.at(row, c));
              FloatVector up = gateUp.load(gateUp.at(row, n + c));
              y.store(y.at(row, c), VectorMath.sigmoid(gate).mul(gate).mul(up));
            }
            for (; c < n; c++) {
              float gate = gateUp.get(gateUp.at(row, c));
              y.put(
                  y.at(row, c),
                  VectorMath.sigmoid(gate) * gate * gateUp.get(gateUp.at(row, n + c)));
            }
          }
        });
  }

  private static void swiGluBackward(VectorMemory dy, VectorMemory gateUp, VectorMemory dGateUp) {
    int n = dy.columns;
    VectorRows.forRows(
        dy,
        (from, to) -> {
          for (int row = from; row < to; row++) {
            int c = 0;
            for (; c < dy.bound(); c += LANES) {
              FloatVector gate = gateUp.load(gateUp.at(row, c));
              FloatVector up = gateUp.load(gateUp.at(row, n + c));
              FloatVector gradient = dy.load(dy.at(row, c));
              FloatVector sigmoid = VectorMath.sigmoid(gate);
              FloatVector silu = gate.mul(sigmoid);
              // silu' = σ + silu (1 − σ)
              FloatVector slope = silu.sub(silu.mul(sigmoid)).add(sigmoid);
              dGateUp.store(dGateUp.at(row, c), slope.mul(up).mul(gradient));
              dGateUp.store(dGateUp.at(row, n + c), silu.mul(gradient));
            }
            for (; c < n; c++) {
              float gate = gateUp.get(gateUp.at(row, c));
              float up = gateUp.get(gateUp.at(row, n + c));
              float gradient = dy.get(dy.at(row, c));
              float sigmoid = VectorMath.sigmoid(gate);
              float silu = gate * sigmoid;
              dGateUp.put(dGateUp.at(row, c), (silu - silu * sigmoid + sigmoid) * up * gradient);
              dGateUp.put(dGateUp.at(row, n + c), silu * gradient);
            }
          }
        });
  }

  private static void gelu(VectorMemory x, VectorMemory y) {
    VectorRows.forRows(
        x,
        (from, to) -> {
          for (int row = from; row < to; row++) {
            int c = 0;
            for (; c < x.bound(); c += LANES) {
              FloatVector value = x.load(x.at(row, c));
              y.store(y.at(row, c), VectorMath.normalDistribution(value).mul(value));
            }
            for (; c < x.columns; c++) {
              float value = x.get(x.at(row, c));
              y.put(y.at(row, c), VectorMath.normalDistribution(value) * value);
            }
          }
        });
  }

  private static void geluBackward(VectorMemory dy, VectorMemory x, VectorMemory dx) {
    VectorRows.forRows(
        x,
        (from, to) -> {
          float[] densities = new float[x.columns];
          float[] distributions = new float[x.columns];
          for (int row = from; row < to; row++) {
            densities(x, row, densities);
            distributions(x, row, distributions);
            geluSlopes(dy, densities, distributions, row, dx);
          }
        });
  }

  /** {@code x φ(x) / φ(0)}. */
  private static void densities(VectorMemory x, int row, float[] result) {
    int c = 0;
    for (; c < x.bound(); c += LANES) {
      FloatVector value = x.load(x.at(row, c));
      FloatVector density = VectorMath.exp(value.mul(value).mul(MINUS_HALF));
      density.mul(value).intoArray(result, c);
    }
    for (; c < x.columns; c++) {
      float value = x.get(x.at(row, c));
      result[c] = (float) Math.exp(-0.5 * value * value) * value;
    }
  }

  /** {@code Φ(x)}. */
  private static void distributions(VectorMemory x, int row, float[] result) {
    int c = 0;
    for (; c < x.bound(); c += LANES) {
      VectorMath.normalDistribution(x.load(x.at(row, c))).intoArray(result, c);
    }
    for (; c < x.columns; c++) {
      result[c] = VectorMath.normalDistribution(x.get(x.at(row, c)));
    }
  }

  private static void geluSlopes(
      VectorMemory dy, float[] densities, float[] distributions, int row, VectorMemory dx) {
    int c = 0;
    for (; c < dx.bound(); c += LANES) {
      FloatVector slope =
          FloatVector.fromArray(VectorMemory.SPECIES, densities, c)
              .fma(DENSITY_AT_0, FloatVector.fromArray(VectorMemory.SPECIES, distributions, c));
      dx.store(dx.at(row, c), slope.mul(dy.load(dy.at(row, c))));
    }
    for (; c < dx.columns; c++) {
      float slope = densities[c] * INVERSE_SQRT_TWO_PI + distributions[c];
      dx.put(dx.at(row, c), slope * dy.get(dy.at(row, c)));
    }
  }

  /** {@code y = x ⊙ kept / (1 − rate)}, or {@code +=}. */
  static void dropout(VectorMemory x, DropoutMask mask, VectorMemory y, boolean accumulate) {
    float factor = mask.factor();
    // Signed numbers compare as unsigned ones do once their first bits are flipped.
    int threshold = (int) mask.threshold() ^ Integer.MIN_VALUE;
    int[] columnKeys = new int[x.columns];
    for (int c = 0; c < columnKeys.length; c++) {
      columnKeys[c] = mask.columnKey(c);
    }
    VectorRows.forRows(
        x,
        (from, to) -> {
          for (int row = from; row < to; row++) {
            int rowKey = mask.rowKey(row);
            int c = 0;
            for (; c < x.bound(); c += LANES) {
              IntVector word = word(IntVector.fromArray(WORDS, columnKeys, c).add(rowKey));
              VectorMask<Integer> dropped = word.compare(VectorOperators.LT, threshold);
              FloatVector value =
                  x.load(x.at(row, c))
                      .mul(factor)
                      .reinterpretAsInts()
                      .blend(0, dropped)
                      .reinterpretAsFloats();
              y.store(y.at(row, c), accumulate ? y.load(y.at(row, c)).add(value) : value);
            }
            for (; c < x.columns; c++) {
              boolean dropped = word(columnKeys[c] + rowKey) < threshold;
              float value = dropped ? 0 : x.get(x.at(row, c)) * factor;
              y.put(y.at(row, c), accumulate ? y.get(y.at(row, c)) + value : value);
            }
          }
        });
  }

  private static IntVector word(IntVector key) {
    IntVector word =
        key.lanewise(VectorOperators.XOR, key.lanewise(VectorOperators.LSHR, DropoutMask.SHIFT_1));
    word = word.mul(DropoutMask.MULTIPLIER_1);
    word =
        word.lanewise(
            VectorOperators.XOR, word.lanewise(VectorOperators.LSHR, DropoutMask.SHIFT_2));
    word = word.mul(DropoutMask.MULTIPLIER_2);
    word =
        word.lanewise(
            VectorOperators.XOR, word.lanewise(VectorOperators.LSHR, DropoutMask.SHIFT_3));
    return word.lanewise(VectorOperators.XOR, Integer.MIN_VALUE);
  }

  private static int word(int key) {
    int word = (key ^ (key >>> DropoutMask.SHIFT_1)) * DropoutMask.MULTIPLIER_1;
    word = (word ^ (word >>> DropoutMask.SHIFT_2)) * DropoutMask.MULTIPLIER_2;
    return word ^ (word >>> DropoutMask.SHIFT_3) ^ Integer.MIN_VALUE;
  }
}
