package io.guilomo.kernel.vector;

import static io.guilomo.kernel.vector.VectorMemory.LANES;
import static io.guilomo.kernel.vector.VectorMemory.SPECIES;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/** RMS norm and layer norm, row by row. */
class VectorNorms {

  private VectorNorms() {}

  static void rms(
      VectorMemory x, VectorMemory weight, float epsilon, VectorMemory y, VectorMemory inverseRms) {
    VectorRows.forRows(
        x,
        (from, to) -> {
          for (int row = from; row < to; row++) {
            float inverse = (float) (1 / Math.sqrt(squares(x, row, 0) / x.columns + epsilon));
            inverseRms.put(4 * row, inverse);
            int c = 0;
            for (; c < x.bound(); c += LANES) {
              y.store(y.at(row, c), x.load(x.at(row, c)).mul(inverse).mul(weight.load(4 * c)));
            }
            for (; c < x.columns; c++) {
              y.put(y.at(row, c), x.get(x.at(row, c)) * inverse * weight.get(4 * c));
            }
          }
        });
  }

  static void rmsBackward(
      VectorMemory dy,
      VectorMemory x,
      VectorMemory weight,
      VectorMemory inverseRms,
      VectorMemory dx) {
    VectorRows.forRows(
        x,
        (from, to) -> {
          for (int row = from; row < to; row++) {
            float inverse = inverseRms.get(4 * row);
            FloatVector sum = FloatVector.zero(SPECIES);
            int c = 0;
            for (; c < x.bound(); c += LANES) {
              sum = dy.load(dy.at(row, c)).mul(weight.load(4 * c)).fma(x.load(x.at(row, c)), sum);
            }
            double projection = sum.reduceLanes(VectorOperators.ADD);
            for (; c < x.columns; c++) {
              projection += dy.get(dy.at(row, c)) * weight.get(4 * c) * x.get(x.at(row, c));
            }
            float pull = (float) (projection * inverse * inverse * inverse / x.columns);
            c = 0;
            for (; c < x.bound(); c += LANES) {
              FloatVector gradient = dy.load(dy.at(row, c)).mul(weight.load(4 * c)).mul(inverse);
              gradient = gradient.sub(x.load(x.at(row, c)).mul(pull));
              dx.store(dx.at(row, c), dx.load(dx.at(row, c)).add(gradient));
            }
            for (; c < x.columns; c++) {
              float gradient =
                  dy.get(dy.at(row, c)) * weight.get(4 * c) * inverse - x.get(x.at(row, c)) * pull;
              dx.put(dx.at(row, c), dx.get(dx.at(row, c)) + gradient);
            }
          }
        });
  }

  static void layer(
      VectorMemory x,
      VectorMemory weight,
      VectorMemory bias,
      float epsilon,
      VectorMemory y,
      VectorMemory means,
      VectorMemory inverseDeviations) {
    VectorRows.forRows(
        x,
        (from, to) -> {
          for (int row = from; row < to; row++) {
            float mean = (float) (sum(x, row) / x.columns);
            float inverse = (float) (1 / Math.sqrt(squares(x, row, mean) / x.columns + epsilon));
            means.put(4 * row, mean);
            inverseDeviations.put(4 * row, inverse);
            int c = 0;
            for (; c < x.bound(); c += LANES) {
              FloatVector normalised = x.load(x.at(row, c)).sub(mean).mul(inverse);
              y.store(y.at(row, c), normalised.fma(weight.load(4 * c), bias.load(4 * c)));
            }
            for (; c < x.columns; c++) {
              float normalised = (x.get(x.at(row, c)) - mean) * inverse;
              y.put(y.at(row, c), normalised * weight.get(4 * c) + bias.get(4 * c));
            }
          }
        });
  }

  static void layerBackward(
      VectorMemory dy,
      VectorMemory x,
      VectorMemory weight,
      VectorMemory means,
      VectorMemory inverseDeviations,
      VectorMemory dx) {
    VectorRows.forRows(
        x,
        (from, to) -> {
          for (int row = from; row < to; row++) {
            float mean = means.get(4 * row);
            float inverse = inverseDeviations.get(4 * row);
            FloatVector sum = FloatVector.zero(SPECIES);
            FloatVector products = FloatVector.zero(SPECIES);
            int c = 0;
            for (; c < x.bound(); c += LANES) {
              FloatVector gradient = dy.load(dy.at(row, c)).mul(weight.load(4 * c));
              sum = gradient.add(sum);
              products = gradient.fma(x.load(x.at(row, c)).sub(mean), products);
            }
            double total = sum.reduceLanes(VectorOperators.ADD);
            double projection = products.reduceLanes(VectorOperators.ADD);
            for (; c < x.columns; c++) {
              float gradient = dy.get(dy.at(row, c)) * weight.get(4 * c);
              total += gradient;
              projection += gradient * (x.get(x.at(row, c)) - mean);
            }
            float average = (float) (total / x.columns);
            float pull = (float) (projection * inverse * inverse / x.columns);
            c = 0;
            for (; c < x.bound(); c += LANES) {
              FloatVector gradient = dy.load(dy.at(row, c)).mul(weight.load(4 * c)).sub(average);
              FloatVector pulled = x.load(x.at(row, c)).sub(mean).mul(pull);
              dx.store(dx.at(row, c), gradient.sub(pulled).mul(inverse));
            }
            for (; c < x.columns; c++) {
              float gradient = dy.get(dy.at(row, c)) * weight.get(4 * c) - average;
              dx.put(dx.at(row, c), (gradient - (x.get(x.at(row, c)) - mean) * pull) * inverse);
            }
          }
        });
  }

  private static double sum(VectorMemory x, int row) {
    FloatVector sum = FloatVector.zero(SPECIES);
    int c = 0;
    for (; c < x.bound(); c += LANES) {
      sum = x.load(x.at(row, c)).add(sum);
    }
    double total = sum.reduceLanes(VectorOperators.ADD);
    for (; c < x.columns; c++) {
      total += x.get(x.at(row, c));
    }
    return total;
  }

  private static double squares(VectorMemory x, int row, float centre) {
    FloatVector sum = FloatVector.zero(SPECIES);
    int c = 0;
    for (; c < x.bound(); c += LANES) {
      FloatVector value = x.load(x.at(row, c)).sub(centre);
      sum = value.fma(value, sum);
    }
    double total = sum.reduceLanes(VectorOperators.ADD);
    for (; c < x.columns; c++) {
      double value = x.get(x.at(row, c)) - centre;
      total += value * value;
    }
    return total;
  }
}
