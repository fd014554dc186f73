package io.guilomo.config;

import io.guilomo.config.FinetuneConfig.Betas;
import io.guilomo.model.ConstantName;
import java.util.List;
import java.util.OptionalDouble;

/**
 * The search for a plan; {@code guilomo.search}.
 *
 * @param seeds one search per seed; empty: one search, with the seed of the run
 * @param epochs passes over the training records; need not be a whole number
 * @param validationFraction of the training records, held out to judge the vectors on where there
 *     are no validation records; empty: {@code data.validation-fraction}
 * @param batchSize records per step and worker
 * @param learningRate of experts and routers
 * @param betas of experts and routers
 * @param epsilon AdamW's epsilon, for all parameters
 * @param clipNorm 0: no clipping
 * @param gsvLearningRate of straight-through alone, as are {@code gsvBetas}
 * @param patience averaging rounds in which the plan stays as it is before a search stops early; 0:
 *     it never does
 * @param planTolerance share of the plan's ranks up to which it counts as the same
 * @param startPlan plan to start from, or a run that has one; empty: none
 */
public record SearchConfig(
    List<Long> seeds,
    double epochs,
    OptionalDouble validationFraction,
    int batchSize,
    double learningRate,
    Betas betas,
    double epsilon,
    double weightDecay,
    int warmupSteps,
    double clipNorm,
    double gsvLearningRate,
    Betas gsvBetas,
    Estimator estimator,
    OuterGradient outerGradient,
    boolean freezeRouting,
    Recompute recompute,
    int patience,
    double planTolerance,
    String startPlan) {

  /** How GuidedSelection Vectors become masks, and how they learn. */
  public enum Estimator {
    /** Hard masks at the largest entries, and the gradients of arXiv 2506.14646. */
    STRAIGHT_THROUGH,
    /** Expectations of distributions over counts, and exact gradients. */
    EXPECTED;

    @Override
    public String toString() {
      return ConstantName.of(this);
    }
  }

  /** How the gradient of the GuidedSelection Vectors is computed. */
  public enum OuterGradient {
    /**
     * At the weights after a virtual step, with the correction of DARTS (arXiv 1806.09055, eq. 7
     * and 8).
     */
    SECOND_ORDER,
    /** At the current weights. */
    FIRST_ORDER,
    /** As in the method's released code. */
    REFERENCE;

    @Override
    public String toString() {
      return ConstantName.of(this);
    }
  }

  static SearchConfig of(ConfigSection section) {
    SearchConfig config = read(section);
    if (config.estimator == Estimator.EXPECTED && config.outerGradient == OuterGradient.REFERENCE) {
      throw section.refuse(
          "outer-gradient",
          "the released code knows no search.estimator expected; must be second-order or"
              + " first-order");
    }
    return config;
  }

  private static SearchConfig read(ConfigSection section) {
    Estimator estimator = section.oneOf("estimator", Estimator.class);
    boolean expected = estimator == Estimator.EXPECTED;
    return new SearchConfig(
        section.seeds("seeds", 0),
        section.positiveOr("epochs", expected ? 1 : 4),
        validationFraction(section, expected),
        section.whole("batch-size", 1),
        section.positive("learning-rate"),
        section.betas("betas"),
        section.positive("epsilon"),
        section.number("weight-decay", 0.0),
        section.whole("warmup-steps", 0),
        section.number("clip-norm", 0.0),
        section.positive("gsv-learning-rate"),
        section.betas("gsv-betas"),
        estimator,
        section.isAuto("outer-gradient")
            ? (expected ? OuterGradient.FIRST_ORDER : OuterGradient.SECOND_ORDER)
            : section.oneOf("outer-gradient", OuterGradient.class),
        section.flag("freeze-routing"),
        section.oneOf("recompute", Recompute.class),
        section.whole("patience", 0),
        section.fraction("plan-tolerance"),
        section.text("start-plan"));
  }

  private static OptionalDouble validationFraction(ConfigSection section, boolean expected) {
    if (!section.isAuto("validation-fraction")) {
      return OptionalDouble.of(section.fraction("validation-fraction"));
    }
    return expected ? OptionalDouble.of(0.5) : OptionalDouble.empty();
  }
}
