package io.guilomo.kernel.vector;

import static io.guilomo.kernel.vector.VectorMemory.LANES;
import static io.guilomo.kernel.vector.VectorMemory.SPECIES;

import io.guilomo.kernel.ExpertKernels;
import io.guilomo.kernel.KernelThreads;
import jdk.incubator.vector.FloatVector;

/** Scales the columns of experts. */
class VectorExperts {
  private static final int TOKENS = 64;

  private final VectorMemory weights;
  private final VectorMemory coefficients;
  private final int[] firstColumn;
  private final int[] expert;

  VectorExperts(VectorMemory weights, VectorMemory coefficients, int[] firstColumn) {
    this.weights = weights;
    this.coefficients = coefficients;
    this.firstColumn = firstColumn;
    this.expert = ExpertKernels.expertOfColumn(firstColumn);
  }

  void scale(VectorMemory h, VectorMemory z) {
    KernelThreads.run(
        h.rows,
        TOKENS,
        (from, to) -> {
          float[] weight = new float[weights.columns];
          for (int t = from; t < to; t++) {
            read(t, weight);
            int c = 0;
            for (; c < h.bound(); c += LANES) {
              FloatVector factor = perColumn(weight, c).mul(coefficients.load(4 * c));
              z.store(z.at(t, c), h.load(h.at(t, c)).mul(factor));
            }
            for (; c < h.columns; c++) {
              z.put(z.at(t, c), h.get(h.at(t, c)) * (weight[expert[c]] * coefficients.get(4 * c)));
            }
          }
        });
  }

  void backward(
      VectorMemory dz,
      VectorMemory h,
      boolean restoreZ,
      VectorMemory dWeights,
      VectorMemory dCoefficients) {
    int columns = h.columns;
    float[][] sums = new float[dCoefficients == null ? 0 : (h.rows + TOKENS - 1) / TOKENS][columns];
    KernelThreads.run(
        h.rows,
        TOKENS,
        (from, to) -> {
          float[] weight = new float[weights.columns];
          float[] products = new float[columns];
          for (int t = from; t < to; t++) {
            read(t, weight);
            if (dCoefficients != null) {
              addCoefficients(dz, h, t, weight, sums[from / TOKENS]);
            }
            backward(dz, h, restoreZ, t, weight, products);
            for (int e = 0; e < weight.length; e++) {
              float sum = 0;
              for (int c = firstColumn[e]; c < firstColumn[e + 1]; c++) {
                sum += products[c];
              }
              dWeights.put(dWeights.at(t, e), sum);
            }
          }
        });
    if (dCoefficients != null) {
      for (int c = 0; c < columns; c++) {
        double total = 0;
        for (float[] range : sums) {
          total += range[c];
        }
        dCoefficients.put(4 * c, (float) total);
      }
    }
  }

  private void backward(
      VectorMemory dz, VectorMemory h, boolean restoreZ, int t, float[] weight, float[] products) {
    int c = 0;
    for (; c < h.bound(); c += LANES) {
      FloatVector gradient = dz.load(dz.at(t, c));
      FloatVector value = h.load(h.at(t, c));
      FloatVector coefficient = coefficients.load(4 * c);
      FloatVector factor = perColumn(weight, c).mul(coefficient);
      gradient.mul(value).mul(coefficient).intoArray(products, c);
      dz.store(dz.at(t, c), gradient.mul(factor));
      if (restoreZ) {
        h.store(h.at(t, c), value.mul(factor));
      }
    }
    for (; c < h.columns; c++) {
      float gradient = dz.get(dz.at(t, c));
      float value = h.get(h.at(t, c));
      float factor = weight[expert[c]] * coefficients.get(4 * c);
      products[c] = gradient * value * coefficients.get(4 * c);
      dz.put(dz.at(t, c), gradient * factor);
      if (restoreZ) {
        h.put(h.at(t, c), value * factor);
      }
    }
  }

  private void addCoefficients(
      VectorMemory dz, VectorMemory h, int t, float[] weight, float[] sums) {
    int c = 0;
    for (; c < h.bound(); c += LANES) {
      FloatVector product = dz.load(dz.at(t, c)).mul(h.load(h.at(t, c)));
      FloatVector.fromArray(SPECIES, sums, c)
          .add(product.mul(perColumn(weight, c)))
          .intoArray(sums, c);
    }
    for (; c < h.columns; c++) {
      sums[c] += dz.get(dz.at(t, c)) * h.get(h.at(t, c)) * weight[expert[c]];
    }
  }

  private FloatVector perColumn(float[] weight, int column) {
    return FloatVector.fromArray(SPECIES, weight, 0, expert, column);
  }

  private void read(int t, float[] weight) {
    for (int e = 0; e < weight.length; e++) {
      weight[e] = weights.get(weights.at(t, e));
    }
  }
}
