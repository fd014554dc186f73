package io.guilomo.kernel.vector;

import static io.guilomo.kernel.vector.VectorMemory.LANES;

import io.guilomo.kernel.AdamW;
import io.guilomo.kernel.KernelThreads;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/** Arithmetic on flat vectors, in ranges of {@value #RANGE} elements. */
class VectorSteps {
  private static final int RANGE = 32768;

  private VectorSteps() {}

  static void copy(VectorMemory source, VectorMemory target) {
    KernelThreads.run(
        target.columns,
        RANGE,
        (from, to) -> target.buffer.put(4 * from, source.buffer, 4 * from, 4 * (to - from)));
  }

  static void adamW(
      AdamW settings,
      double learningRate,
      long step,
      VectorMemory weights,
      VectorMemory gradient,
      VectorMemory firstMoment,
      VectorMemory secondMoment,
      VectorMemory target,
      boolean advance) {
    float beta1 = (float) settings.beta1();
    float beta2 = (float) settings.beta2();
    float rest1 = (float) (1 - settings.beta1());
    float rest2 = (float) (1 - settings.beta2());
    float epsilon = (float) settings.epsilon();
    float keep = (float) (1 - learningRate * settings.weightDecay());
    float rate = (float) (learningRate / (1 - Math.pow(settings.beta1(), step)));
    float correction = (float) (1 / Math.sqrt(1 - Math.pow(settings.beta2(), step)));
    KernelThreads.run(
        weights.columns,
        RANGE,
        (from, to) -> {
          int i = from;
          for (; i <= to - LANES; i += LANES) {
            int at = 4 * i;
            FloatVector g = gradient.load(at);
            FloatVector m = firstMoment.load(at).mul(beta1).add(g.mul(rest1));
            FloatVector v = secondMoment.load(at).mul(beta2).add(g.mul(g).mul(rest2));
            if (advance) {
              firstMoment.store(at, m);
              secondMoment.store(at, v);
            }
            FloatVector change = m.mul(rate).div(v.sqrt().mul(correction).add(epsilon));
            target.store(at, weights.load(at).mul(keep).sub(change));
          }
          for (; i < to; i++) {
            int at = 4 * i;
            float g = gradient.get(at);
            float m = firstMoment.get(at) * beta1 + g * rest1;
            float v = secondMoment.get(at) * beta2 + g * g * rest2;
            if (advance) {
              firstMoment.put(at, m);
              secondMoment.put(at, v);
            }
            float change = m * rate / ((float) Math.sqrt(v) * correction + epsilon);
            target.put(at, weights.get(at) * keep - change);
          }
        });
  }

  static void addScaled(VectorMemory x, float factor, VectorMemory y, VectorMemory target) {
    KernelThreads.run(
        x.columns,
        RANGE,
        (from, to) -> {
          int i = from;
          for (; i <= to - LANES; i += LANES) {
            target.store(4 * i, x.load(4 * i).add(y.load(4 * i).mul(factor)));
          }
          for (; i < to; i++) {
            target.put(4 * i, x.get(4 * i) + y.get(4 * i) * factor);
          }
        });
  }

  static void multiply(VectorMemory x, VectorMemory y, VectorMemory target) {
    KernelThreads.run(
        x.columns,
        RANGE,
        (from, to) -> {
          int i = from;
          for (; i <= to - LANES; i += LANES) {
            target.store(4 * i, x.load(4 * i).mul(y.load(4 * i)));
          }
          for (; i < to; i++) {
            target.put(4 * i, x.get(4 * i) * y.get(4 * i));
          }
        });
  }

  static void scale(VectorMemory x, float factor) {
    KernelThreads.run(
        x.columns,
        RANGE,
        (from, to) -> {
          int i = from;
          for (; i <= to - LANES; i += LANES) {
            x.store(4 * i, x.load(4 * i).mul(factor));
          }
          for (; i < to; i++) {
            x.put(4 * i, x.get(4 * i) * factor);
          }
        });
  }

  static double norm(VectorMemory x) {
    double[] sums = new double[(x.columns + RANGE - 1) / RANGE];
    KernelThreads.run(x.columns, RANGE, (from, to) -> sums[from / RANGE] = squares(x, from, to));
    double total = 0;
    for (double sum : sums) {
      total += sum;
    }
    return Math.sqrt(total);
  }

  private static double squares(VectorMemory x, int from, int to) {
    DoubleVector sum = DoubleVector.zero(DoubleVector.SPECIES_PREFERRED);
    int i = from;
    for (; i <= to - LANES; i += LANES) {
      FloatVector value = x.load(4 * i);
      for (int part = 0; part < 2; part++) {
        DoubleVector half =
            (DoubleVector)
                value.convertShape(VectorOperators.F2D, DoubleVector.SPECIES_PREFERRED, part);
        sum = half.fma(half, sum);
      }
    }
    double total = sum.reduceLanes(VectorOperators.ADD);
    for (; i < to; i++) {
      double value = x.get(4 * i);
      total += value * value;
    }
    return total;
  }
}
