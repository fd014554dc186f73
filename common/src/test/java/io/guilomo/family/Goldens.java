package io.guilomo.family;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Arrays;

/** Numbers of golden files and how far others are from them. */
final class Goldens {

  /**
   * Files have 7 digits, and 32-bit floats 7.2: half a unit of the last of 7, relative to the
   * largest number of an array.
   */
  private static final double DIGITS = 5e-7;

  private double largest;

  /** The largest error so far, in parts of what was tolerated. */
  double largest() {
    return largest;
  }

  /**
   * Fails where numbers are further apart than {@code tolerance}, or their last digit.
   *
   * @return the largest difference
   */
  double close(String what, double[] actual, double[] expected, double tolerance) {
    if (actual.length != expected.length) {
      throw new AssertionError(
          "%s: %d numbers, expected %d".formatted(what, actual.length, expected.length));
    }
    double size = Math.max(1, Arrays.stream(expected).map(Math::abs).max().orElse(0));
    double allowed = tolerance + DIGITS * size;
    double furthest = 0;
    for (int i = 0; i < actual.length; i++) {
      double error = Math.abs(actual[i] - expected[i]);
      if (!(error <= allowed)) {
        throw new AssertionError(
            "%s: number %d is %s, expected %s, %.2g off where %.2g are tolerated"
                .formatted(what, i, actual[i], expected[i], error, allowed));
      }
      furthest = Math.max(furthest, error);
    }
    largest = Math.max(largest, furthest / allowed);
    return furthest;
  }

  static double[] numbers(JsonNode array) {
    double[] numbers = new double[array.size()];
    Arrays.setAll(numbers, i -> array.get(i).doubleValue());
    return numbers;
  }

  static int[] integers(JsonNode array) {
    int[] integers = new int[array.size()];
    Arrays.setAll(integers, i -> array.get(i).intValue());
    return integers;
  }

  static double[][] doubles(float[][] rows) {
    double[][] doubles = new double[rows.length][];
    for (int r = 0; r < rows.length; r++) {
      doubles[r] = new double[rows[r].length];
      for (int c = 0; c < rows[r].length; c++) {
        doubles[r][c] = rows[r][c];
      }
    }
    return doubles;
  }

  /** Euclidean norm of all rows together. */
  static double norm(float[]... rows) {
    double squares = 0;
    for (float[] row : rows) {
      for (float value : row) {
        squares += (double) value * value;
      }
    }
    return Math.sqrt(squares);
  }

  /** The largest magnitude. */
  static double size(float[][] rows) {
    double size = 0;
    for (float[] row : rows) {
      for (float value : row) {
        size = Math.max(size, Math.abs(value));
      }
    }
    return size;
  }
}
