package io.guilomo.uncertainty;

import io.guilomo.model.UserException;
import java.util.List;
import org.apache.commons.math3.analysis.UnivariateFunction;
import org.apache.commons.math3.analysis.solvers.BrentSolver;

/**
 * The temperature that makes right answers most likely (arXiv 1706.04599, section 4.2). With {@code
 * β = 1 / T} the negative log-likelihood is convex, and its derivative {@code Σ (E[l] − l_right)}
 * over the log-probabilities {@code l} of each record rises. To it {@code (β − 1)² / 2} is added, a
 * normal prior that weighs no more than a record or two: where every right answer is the likeliest,
 * the likelihood alone rises with {@code β} without end, and the first wrong answer would then have
 * an infinite loss.
 */
public final class Temperature {

  /** Bounds of {@code β}. */
  private static final double LEAST = 1e-3;

  private static final double MOST = 1e3;

  private Temperature() {}

  /**
   * @param probabilities of each record's answers at temperature 1
   * @param right index of its right answer
   * @throws UserException if there are none
   */
  public static double fit(List<double[]> probabilities, List<Integer> right) {
    if (probabilities.isEmpty()) {
      throw new UserException("Cannot fit a temperature to no records with a right answer");
    }
    UnivariateFunction slope = beta -> slope(probabilities, right, beta);
    if (slope.value(LEAST) >= 0) {
      return 1 / LEAST;
    }
    if (slope.value(MOST) <= 0) {
      return 1 / MOST;
    }
    return 1 / new BrentSolver(1e-10).solve(1000, slope, LEAST, MOST);
  }

  private static double slope(List<double[]> probabilities, List<Integer> right, double beta) {
    double sum = beta - 1;
    for (int i = 0; i < right.size(); i++) {
      double[] logs = Probabilities.logarithms(probabilities.get(i));
      double[] tempered = Probabilities.tempered(probabilities.get(i), 1 / beta);
      for (int option = 0; option < logs.length; option++) {
        sum += tempered[option] * logs[option];
      }
      sum -= logs[right.get(i)];
    }
    return sum;
  }
}
