package io.guilomo.search;

import io.guilomo.config.SearchConfig.Estimator;
import io.guilomo.config.SearchConfig.OuterGradient;
import io.guilomo.data.Seeds;
import io.guilomo.data.TokenBatch;
import io.guilomo.kernel.Kernels;
import io.guilomo.kernel.Kernels.Accuracy;
import io.guilomo.network.LoraMoeNetwork;
import io.guilomo.network.PassOptions;
import io.guilomo.network.PassOptions.Gradient;
import io.guilomo.network.PassResult;
import io.guilomo.training.InnerUpdate;
import io.guilomo.training.TrainingStep;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What all outer-gradient modes have in common: the two AdamW updates, clipping, and the seeds of
 * the passes.
 */
final class Updates {

  private final LoraMoeNetwork network;
  private final Kernels kernels;
  private final SearchSettings settings;
  private final InnerUpdate inner;
  private final MirrorDescent mirror;

  Updates(LoraMoeNetwork network, Kernels kernels, SearchSettings settings) {
    this.network = network;
    this.kernels = kernels;
    this.settings = settings;
    this.inner = new InnerUpdate(network, kernels, settings.inner(), settings.clipNorm());
    boolean soft = network.definition().estimator() == Estimator.EXPECTED;
    if (soft != (settings.expected() != null)) {
      throw new IllegalArgumentException(
          "Cannot search with estimator %s and settings %s"
              .formatted(network.definition().estimator(), settings.expected()));
    }
    this.mirror = soft ? new MirrorDescent(network.modules(), settings.expected()) : null;
  }

  /** Whether masks follow every move of a GSV, not only those of its choice. */
  boolean soft() {
    return mirror != null;
  }

  /** All passes of a step over its training batch drop the same elements. */
  PassOptions trainingPass(long step) {
    return PassOptions.training(Seeds.mix(settings.seed(), 2 * step)).with(accuracy());
  }

  /**
   * Accuracy of passes whose results are not subtracted. What rounding changes is noise to
   * distributions, which move by averages over many batches; a choice may fall to it.
   */
  private Accuracy accuracy() {
    return soft() && settings.outerGradient() == OuterGradient.FIRST_ORDER
        ? Accuracy.ROUNDED
        : Accuracy.STEADY;
  }

  /** A training pass whose gradient is subtracted from that of another one. */
  PassOptions subtractedPass(long step) {
    return trainingPass(step).with(Gradient.GSVS).with(Accuracy.EXACT);
  }

  /**
   * With soft masks {@code L_val} is the loss of the labels alone: the one that balances the load
   * rewards masks for sending tokens to experts that are not worth their parameters.
   */
  PassOptions validationPass(long step) {
    PassOptions options =
        PassOptions.training(Seeds.mix(settings.seed(), 2 * step + 1)).with(accuracy());
    return soft() ? options.withoutBalance() : options;
  }

  /**
   * Runs the validation pass with the virtual weights; if it fails, restores the weights from
   * {@code saved}.
   */
  PassResult validate(long step, TokenBatch validation, INDArray saved) {
    try {
      return TrainingStep.finite(
          "validation", step, network.pass(validation, validationPass(step)));
    } catch (RuntimeException e) {
      kernels.copy(saved, network.weights());
      throw e;
    }
  }

  /** {@code w ← AdamW(w, gradient)}; see {@link InnerUpdate#apply}. */
  void inner(long age, double eta, INDArray gradient, boolean advance) {
    inner.apply(age, eta, gradient, advance);
  }

  /**
   * {@code a ← AdamW(a, gradient)}, or {@link MirrorDescent} where they are distributions.
   *
   * @return number of choices that moved
   * @throws ArithmeticException if the gradient of distributions is not finite; nothing has changed
   *     then
   */
  int outer(long step, INDArray gradient) {
    int[] before = network.maskChoices();
    if (soft()) {
      mirror(step, gradient);
    } else {
      kernels.adamW(
          settings.outer(),
          settings.outerRate(),
          step + 1,
          network.gsvs(),
          gradient,
          network.gsvFirstMoment(),
          network.gsvSecondMoment(),
          network.gsvs(),
          true);
    }
    int[] after = network.maskChoices();
    return (int) IntStream.range(0, before.length).filter(i -> before[i] != after[i]).count();
  }

  private void mirror(long step, INDArray gradient) {
    double norm = kernels.norm(gradient);
    if (!Double.isFinite(norm)) {
      throw new ArithmeticException("Cannot continue: the norm of the GSVs' gradient is " + norm);
    }
    float[] gsvs = read(network.gsvs());
    float[] mean = read(network.gsvFirstMoment());
    float[] squares = read(network.gsvSecondMoment());
    mirror.update(step, gsvs, read(gradient), mean, squares);
    kernels.write(gsvs, network.gsvs());
    kernels.write(mean, network.gsvFirstMoment());
    kernels.write(squares, network.gsvSecondMoment());
  }

  private float[] read(INDArray array) {
    float[] values = new float[Math.toIntExact(array.length())];
    kernels.read(array, values);
    return values;
  }

  /** Keeps the state of {@code a} for {@link #restoreOuter}. */
  void saveOuter() {
    kernels.copy(network.gsvs(), network.workingGsvs("saved"));
    kernels.copy(network.gsvFirstMoment(), network.workingGsvs("savedMean"));
    kernels.copy(network.gsvSecondMoment(), network.workingGsvs("savedSquares"));
  }

  void restoreOuter() {
    kernels.copy(network.workingGsvs("saved"), network.gsvs());
    kernels.copy(network.workingGsvs("savedMean"), network.gsvFirstMoment());
    kernels.copy(network.workingGsvs("savedSquares"), network.gsvSecondMoment());
  }

  /** Scales the gradient down to the maximum norm; returns the norm before. */
  double clip(INDArray gradient) {
    return inner.clip(gradient);
  }
}
