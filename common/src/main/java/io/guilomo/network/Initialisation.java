package io.guilomo.network;

import io.guilomo.data.Seeds;
import java.util.Random;

/**
 * How a parameter starts (METHODS of arXiv 2506.14646's released code). Values depend on the seed
 * and the name alone.
 */
public enum Initialisation {
  ZERO {
    @Override
    void fill(Random random, float[] values, long[] shape) {}
  },
  ONE {
    @Override
    void fill(Random random, float[] values, long[] shape) {
      java.util.Arrays.fill(values, 1f);
    }
  },
  /** Normal with deviation 0.02. */
  NORMAL {
    @Override
    void fill(Random random, float[] values, long[] shape) {
      for (int i = 0; i < values.length; i++) {
        values[i] = (float) (0.02 * random.nextGaussian());
      }
    }
  },
  /**
   * Kaiming uniform with a = √5: within ± 1 / √fanIn, fanIn being the columns (arXiv 1502.01852,
   * eq. 14).
   */
  KAIMING_UNIFORM {
    @Override
    void fill(Random random, float[] values, long[] shape) {
      double bound = 1 / Math.sqrt(shape[shape.length - 1]);
      for (int i = 0; i < values.length; i++) {
        values[i] = (float) (bound * (2 * random.nextDouble() - 1));
      }
    }
  },
  /** Each row the softmax of standard normal values. */
  SOFTMAX_NORMAL {
    @Override
    void fill(Random random, float[] values, long[] shape) {
      int columns = (int) shape[shape.length - 1];
      double[] row = new double[columns];
      for (int start = 0; start < values.length; start += columns) {
        double sum = 0;
        for (int i = 0; i < columns; i++) {
          row[i] = Math.exp(random.nextGaussian());
          sum += row[i];
        }
        for (int i = 0; i < columns; i++) {
          values[start + i] = (float) (row[i] / sum);
        }
      }
    }
  };

  abstract void fill(Random random, float[] values, long[] shape);

  /** Values of a parameter under {@code seed}. */
  float[] values(long seed, ParameterLayout.Slice slice) {
    float[] values = new float[Math.toIntExact(slice.length())];
    fill(new Random(Seeds.mix(seed, slice.name().hashCode())), values, slice.shape());
    return values;
  }
}
