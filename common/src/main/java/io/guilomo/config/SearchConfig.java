package io.guilomo.config;

import java.util.List;
import java.util.Locale;

/**
 * The search for a plan; {@code guilomo.search}.
 *
 * @param seeds one search each; empty: one, of the run's seed
 * @param batchSize records of one step on one worker
 * @param learningRate of experts and routers
 * @param betas of experts and routers
 * @param epsilon AdamW's, for all
 * @param clipNorm 0: no limit
 */
public record SearchConfig(
    List<Long> seeds,
    int epochs,
    int batchSize,
    double learningRate,
    Betas betas,
    double epsilon,
    double weightDecay,
    int warmupSteps,
    double clipNorm,
    double gsvLearningRate,
    Betas gsvBetas,
    OuterGradient outerGradient,
    boolean freezeRouting) {

  /** How the gradient of the guided-selection vectors is computed. */
  public enum OuterGradient {
    /**
     * At the weights of a virtual step, with DARTS's correction (arXiv 1806.09055, equations 7 and
     * 8).
     */
    SECOND_ORDER,
    /** At the present weights. */
    FIRST_ORDER,
    /** As the method's released code does. */
    REFERENCE;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  static SearchConfig of(Section section) {
    return new SearchConfig(
        section.seeds("seeds", 0),
        section.whole("epochs", 1),
        section.whole("batch-size", 1),
        section.positive("learning-rate"),
        section.betas("betas"),
        section.positive("epsilon"),
        section.number("weight-decay", 0.0),
        section.whole("warmup-steps", 0),
        section.number("clip-norm", 0.0),
        section.positive("gsv-learning-rate"),
        section.betas("gsv-betas"),
        section.oneOf("outer-gradient", OuterGradient.class),
        section.flag("freeze-routing"));
  }
}
