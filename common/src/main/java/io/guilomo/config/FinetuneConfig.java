package io.guilomo.config;

import io.guilomo.model.ConstantName;
import java.util.List;

/**
 * Training of the allocated model; {@code guilomo.finetune}.
 *
 * @param plan the plan to train; empty: that of the run
 * @param seeds one adapter per seed; empty: one, with the seed of the run
 * @param steps steps per worker; 0: as many as the epochs take
 * @param batchSize records per pass and worker
 * @param accumulationSteps passes whose gradients are averaged for one step
 * @param clipNorm 0: no clipping
 * @param validateEverySteps 0: once per epoch
 * @param bestBy how the best validation is selected
 * @param patience validations without improvement after which training stops early; 0: never
 */
public record FinetuneConfig(
    String plan,
    List<Long> seeds,
    int epochs,
    long steps,
    int batchSize,
    int accumulationSteps,
    double learningRate,
    Betas betas,
    double epsilon,
    double weightDecay,
    int warmupSteps,
    double clipNorm,
    long validateEverySteps,
    Criterion bestBy,
    int patience,
    Recompute recompute) {

  /** What a validation is judged by. */
  public enum Criterion {
    /** Lower is better. */
    LOSS,
    /** Higher is better. */
    ACCURACY;

    @Override
    public String toString() {
      return ConstantName.of(this);
    }
  }

  static FinetuneConfig of(ConfigSection section) {
    return new FinetuneConfig(
        section.text("plan"),
        section.seeds("seeds", 0),
        section.whole("epochs", 1),
        section.whole("steps", 0L),
        section.whole("batch-size", 1),
        section.whole("accumulation-steps", 1),
        section.positive("learning-rate"),
        section.betas("betas"),
        section.positive("epsilon"),
        section.number("weight-decay", 0.0),
        section.whole("warmup-steps", 0),
        section.number("clip-norm", 0.0),
        section.whole("validate-every-steps", 0L),
        section.oneOf("best-by", Criterion.class),
        section.whole("patience", 0),
        section.oneOf("recompute", Recompute.class));
  }

  /** AdamW's decay rates. */
  public record Betas(double first, double second) {}
}
