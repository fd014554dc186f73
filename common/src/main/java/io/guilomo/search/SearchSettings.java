package io.guilomo.search;

import io.guilomo.config.SearchConfig.OuterGradient;
import io.guilomo.kernel.AdamW;
import io.guilomo.model.UserException;
import io.guilomo.training.LearningRate;
import java.io.Serializable;

/**
 * Settings of a search.
 *
 * @param inner AdamW of the weights
 * @param innerRate η
 * @param outer AdamW of the GSVs
 * @param outerRate constant rate of the GSVs
 * @param freezeRouting whether the ± passes reuse the routing of the first pass
 * @param clipNorm maximum norm of the gradient of the weights; 0: no clipping
 * @param seed of the dropout masks
 * @param expected of GSVs that are distributions, which {@code outer} and {@code outerRate} do not
 *     concern; null of others
 */
public record SearchSettings(
    AdamW inner,
    LearningRate innerRate,
    AdamW outer,
    double outerRate,
    OuterGradient outerGradient,
    boolean freezeRouting,
    double clipNorm,
    long seed,
    ExpectedSettings expected)
    implements Serializable {

  /** The defaults of arXiv 2506.14646, appendix A, and of its released code. */
  public static final AdamW INNER = new AdamW(0.9, 0.999, 1e-8, 0);

  public static final AdamW OUTER = new AdamW(0.5, 0.999, 1e-8, 0);

  /** Settings of a search with hard masks. */
  public SearchSettings(
      AdamW inner,
      LearningRate innerRate,
      AdamW outer,
      double outerRate,
      OuterGradient outerGradient,
      boolean freezeRouting,
      double clipNorm,
      long seed) {
    this(inner, innerRate, outer, outerRate, outerGradient, freezeRouting, clipNorm, seed, null);
  }

  /** The same with other dropout masks. */
  public SearchSettings with(long otherSeed) {
    return new SearchSettings(
        inner,
        innerRate,
        outer,
        outerRate,
        outerGradient,
        freezeRouting,
        clipNorm,
        otherSeed,
        expected);
  }

  public SearchSettings {
    if (!(outerRate > 0) || !(clipNorm >= 0)) {
      throw new UserException(
          "Cannot search with a GSV learning rate of %s and gradient norm %s", outerRate, clipNorm);
    }
  }
}
