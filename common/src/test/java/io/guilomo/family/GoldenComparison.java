package io.guilomo.family;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Arrays;
import java.util.List;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/**
 * Compares a model with a golden file, whose {@code float32_run} says how far its authors' code
 * with 32-bit floats is from that with 64 bits.
 */
final class GoldenComparison {

  private final String model;
  private final double logitTolerance;
  private final double lossTolerance;
  private final double gradientTolerance;
  private final Goldens goldens = new Goldens();
  private double largest;

  /**
   * @param multiple of the distances of {@code float32_run} that is tolerated
   */
  GoldenComparison(String model, JsonNode float32Run, double multiple) {
    this.model = model;
    this.logitTolerance = multiple * float32Run.get("max_abs_diff_logits").doubleValue();
    this.lossTolerance = multiple * float32Run.get("max_abs_diff_loss").doubleValue();
    this.gradientTolerance =
        multiple * float32Run.get("max_diff_gradient_over_max_gradient").doubleValue();
  }

  /** The largest error so far, relative to the largest number of what was compared. */
  double largest() {
    return largest;
  }

  /** The norms of the states; files do not say how far 32-bit floats are, as much as logits. */
  void states(JsonNode each, List<float[][]> states) {
    double[] expected = Goldens.numbers(each.get("hidden_norms"));
    double[] actual = states.stream().mapToDouble(Goldens::norm).toArray();
    check(each, "hidden_norms", actual, expected, logitTolerance);
  }

  void logits(JsonNode each, double[][] actual) {
    JsonNode expected = each.get("logits");
    // One row, of the only sequence, may be without its brackets.
    double[] numbers =
        expected.path(0).isArray()
            ? IntStream.range(0, expected.size())
                .mapToObj(row -> Goldens.numbers(expected.get(row)))
                .flatMapToDouble(Arrays::stream)
                .toArray()
            : Goldens.numbers(expected);
    check(
        each,
        "logits",
        Arrays.stream(actual).flatMapToDouble(Arrays::stream).toArray(),
        numbers,
        logitTolerance);
  }

  void logits(String what, float[] actual, JsonNode expected) {
    double[] numbers = Goldens.numbers(expected);
    error(
        goldens.close(
            model + " " + what,
            Goldens.doubles(new float[][] {actual})[0],
            numbers,
            logitTolerance),
        numbers);
  }

  void loss(JsonNode each, double actual) {
    double[] expected = {each.get("loss").doubleValue()};
    check(each, "loss", new double[] {actual}, expected, lossTolerance);
  }

  /**
   * @param key of the norm, the norm of each row and some entries
   */
  void gradient(JsonNode each, String key, float[][] actual) {
    JsonNode expected = each.get(key);
    double size = Goldens.size(actual);
    // What is compared is of about the size 1, so that files' digits are too.
    relative(each, key + " norm", Goldens.norm(actual), expected.get("norm").doubleValue());
    double[] rows = Goldens.numbers(expected.get("row_norms"));
    double longest = DoubleStream.of(rows).max().orElseThrow();
    check(
        each,
        key + " row_norms",
        Arrays.stream(actual).mapToDouble(row -> Goldens.norm(row) / longest).toArray(),
        Arrays.stream(rows).map(row -> row / longest).toArray(),
        gradientTolerance);
    for (JsonNode entry : expected.get("entries")) {
      int row = entry.get(0).intValue();
      int column = entry.get(1).intValue();
      check(
          each,
          key + " " + row + "," + column,
          new double[] {actual[row][column] / size},
          new double[] {entry.get(2).doubleValue() / size},
          gradientTolerance);
    }
  }

  private void relative(JsonNode each, String what, double actual, double expected) {
    check(each, what, new double[] {actual / expected}, new double[] {1}, gradientTolerance);
  }

  private void check(
      JsonNode each, String what, double[] actual, double[] expected, double tolerance) {
    String name = "%s %s %s".formatted(model, each.get("name").asText(), what);
    error(goldens.close(name, actual, expected, tolerance), expected);
  }

  private void error(double furthest, double[] expected) {
    double size = Math.max(1, Arrays.stream(expected).map(Math::abs).max().orElse(1));
    largest = Math.max(largest, furthest / size);
  }
}
