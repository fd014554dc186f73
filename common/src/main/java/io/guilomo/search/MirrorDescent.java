package io.guilomo.search;

import io.guilomo.model.CountDistribution;
import io.guilomo.model.ModuleExperts;
import java.util.ArrayList;
import java.util.List;

/**
 * The outer update of GSVs that are distributions over counts: mirror descent on each simplex (with
 * the Kullback–Leibler divergence, exponentiated gradients: Kivinen and Warmuth 1997), which moves
 * the logits by the gradient with respect to the probabilities:
 *
 * <pre>
 *   q = ∂L/∂h ⊘ π                          the gradient by π, less its mean, which changes nothing
 *   q ← Σ_e q_e / Σ_e S_e                  of ranks: one distribution for the experts of a module
 *   q ← means of neighbouring layers       what modules gain changes little with depth, noise does
 *   m ← β m + (1 − β) q                    over about 20 batches: one is mostly noise
 *   v ← β₂ v + (1 − β₂) q²
 *   h ← h − ρ m / √mean(v̂)
 *   h ← h − ν ∂C/∂π                        ν such that C(a) is the step's target
 * </pre>
 *
 * <p>The gradient by {@code π} does not vanish where {@code π} does, so that nothing saturates. One
 * scale serves all entries, so that an entry without a signal stays where it is, where AdamW would
 * move it by its own noise.
 *
 * <p>The experts of a module are exchangeable until the first of them is chosen, so that what
 * distinguishes their ranks afterwards is chance; with one distribution for all, chance cancels and
 * the modules' total ranks depend less on the seed.
 *
 * <p>The last line is a step of the dual variable solved exactly: {@code ν} is what the price of a
 * parameter, in {@code L_val + μ C(a)}, must be for the target to be met, so that there is no price
 * to overshoot and none to keep between the steps. Over the first half of the search the target
 * moves geometrically from the initial expected parameters to the budget. If the budget is below
 * twice the smallest plan's expert parameters, the target stops there, and the plan keeps the
 * entries that this search would drop last. Without a budget parameters have no price: a count
 * grows as long as that lowers the validation loss.
 */
final class MirrorDescent {

  /** β. */
  private static final double AVERAGING = 0.95;

  /** β₂. */
  private static final double SQUARES = 0.999;

  /** ρ times the steps: how far a logit goes whose averaged gradient is always of the scale. */
  private static final double TRAVEL = 8;

  /** Logits that are lower than their vector's largest by more than this are raised. */
  private static final float RANGE = 10;

  /** Largest mean change of the logits by the price in one step. */
  private static final double MOST = 1;

  /**
   * The target is at least this many times the parameters of the smallest plan's experts: below
   * that the search sees little beyond that plan, and can measure only each module's next rank.
   */
  private static final double ROOM = 2;

  private static final int HALVINGS = 50;

  /** One vector: where it begins, where it ends, its least count. */
  private record Vector(int start, int end, int least) {

    CountDistribution of(float[] gsvs) {
      return new CountDistribution(gsvs, start, end - start, least);
    }

    /** Index of its first possible count. */
    int first() {
      return start + least - 1;
    }
  }

  /** The vectors of one module. */
  private record ModuleVectors(Vector experts, List<Vector> ranks) {}

  private final ExpectedParameters parameters;
  private final ExpectedSettings settings;
  private final DepthSmoothing depth;
  private final List<Vector> vectors = new ArrayList<>();

  /** Those whose experts may have the same ranks. */
  private final List<ModuleVectors> alike = new ArrayList<>();

  private final double initial;

  /** What {@code C} is to be in the second half of the search, if there is a budget. */
  private final double end;

  /**
   * @param modules the candidates, in the order of their GSVs
   * @throws io.guilomo.model.UserException if the smallest plan is over the budget
   */
  MirrorDescent(List<ModuleExperts> modules, ExpectedSettings settings) {
    this.parameters = new ExpectedParameters(modules);
    this.settings = settings.checked(modules);
    this.depth = new DepthSmoothing(modules);
    int offset = 0;
    for (ModuleExperts module : modules) {
      Vector experts =
          new Vector(offset, offset + module.experts(), ModuleExperts.minExperts(module.experts()));
      vectors.add(experts);
      offset += module.experts();
      List<Vector> ranks = new ArrayList<>();
      for (int rank : module.ranks()) {
        ranks.add(new Vector(offset, offset + rank, 1));
        offset += rank;
      }
      vectors.addAll(ranks);
      if (module.ranks().stream().distinct().count() == 1) {
        alike.add(new ModuleVectors(experts, ranks));
      }
    }
    this.initial =
        settings.initialParameters() > 0
            ? settings.initialParameters()
            : parameters.of(new float[offset]);
    double shared = parameters.shared();
    this.end = Math.max(settings.budget(), shared + ROOM * (parameters.least() - shared));
  }

  /**
   * Updates the GSVs.
   *
   * @param step from 0
   * @param gsvs {@code h}
   * @param gradient {@code ∂L/∂h}
   * @param mean {@code m}, from 0 in the first step
   * @param squares {@code v}
   */
  void update(long step, float[] gsvs, float[] gradient, float[] mean, float[] squares) {
    double scale = average(step, gsvs, gradient, mean, squares);
    if (scale > 0) {
      double rate = TRAVEL / settings.steps() / scale;
      for (Vector vector : vectors) {
        for (int j = vector.first(); j < vector.end(); j++) {
          gsvs[j] -= (float) (rate * mean[j]);
        }
      }
    }
    if (settings.budget() > 0 && end < parameters.most()) {
      pay(target(step), gsvs);
    }
    vectors.forEach(vector -> normalise(vector, gsvs));
  }

  /** Updates {@code m} and {@code v}; returns √mean(v̂). */
  private double average(long step, float[] gsvs, float[] gradient, float[] mean, float[] squares) {
    double[] byProbability = new double[gsvs.length];
    for (Vector vector : vectors) {
      CountDistribution distribution = vector.of(gsvs);
      for (int j = vector.first(); j < vector.end(); j++) {
        byProbability[j] = gradient[j] / distribution.probability(j - vector.start());
      }
    }
    share(byProbability, gsvs);
    depth.smooth(byProbability);
    double sum = 0;
    long entries = 0;
    for (Vector vector : vectors) {
      for (int j = vector.first(); j < vector.end(); j++) {
        double q = byProbability[j];
        mean[j] = (float) (AVERAGING * mean[j] + (1 - AVERAGING) * q);
        squares[j] = (float) (SQUARES * squares[j] + (1 - SQUARES) * q * q);
        sum += squares[j];
      }
      // A vector with one possible count has no gradient.
      entries += vector.end() - vector.first() > 1 ? vector.end() - vector.first() : 0;
    }
    return entries == 0 ? 0 : Math.sqrt(sum / entries / (1 - Math.pow(SQUARES, step + 1.0)));
  }

  /**
   * Makes derivatives by the experts' distributions over ranks those by one that they share: their
   * sum, per expert that is expected to be in use.
   */
  private void share(double[] derivatives, float[] gsvs) {
    for (ModuleVectors module : alike) {
      CountDistribution experts = module.experts().of(gsvs);
      double used = 0;
      for (int e = 0; e < experts.length(); e++) {
        used += experts.survival(e);
      }
      int length = module.ranks().get(0).end() - module.ranks().get(0).start();
      for (int i = 0; i < length; i++) {
        double sum = 0;
        for (Vector rank : module.ranks()) {
          sum += derivatives[rank.start() + i];
        }
        for (Vector rank : module.ranks()) {
          derivatives[rank.start() + i] = sum / used;
        }
      }
    }
  }

  private double target(long step) {
    double way = Math.min(1, (step + 1) / (ExpectedSettings.DESCENT * settings.steps()));
    return initial * Math.pow(end / initial, way);
  }

  /** {@code h ← h − ν ∂C/∂π} with {@code C(a) = target}, or as near to it as one step may come. */
  private void pay(double target, float[] gsvs) {
    double[] prices = parameters.prices(gsvs);
    share(prices, gsvs);
    double mean = 0;
    for (double price : prices) {
      mean += price / prices.length;
    }
    if (mean == 0) {
      return;
    }
    double low = -MOST / mean;
    double high = MOST / mean;
    for (int i = 0; i < HALVINGS; i++) {
      double middle = (low + high) / 2;
      if (parameters.of(less(gsvs, middle, prices)) > target) {
        low = middle;
      } else {
        high = middle;
      }
    }
    System.arraycopy(less(gsvs, high, prices), 0, gsvs, 0, gsvs.length);
  }

  private static float[] less(float[] gsvs, double factor, double[] prices) {
    float[] result = new float[gsvs.length];
    for (int i = 0; i < result.length; i++) {
      result[i] = (float) (gsvs[i] - factor * prices[i]);
    }
    return result;
  }

  /** Makes the largest logit 0 and the lowest no lower than −{@link #RANGE}. */
  private static void normalise(Vector vector, float[] gsvs) {
    float largest = Float.NEGATIVE_INFINITY;
    for (int j = vector.first(); j < vector.end(); j++) {
      largest = Math.max(largest, gsvs[j]);
    }
    for (int j = vector.first(); j < vector.end(); j++) {
      gsvs[j] = Math.max(gsvs[j] - largest, -RANGE);
    }
  }
}
