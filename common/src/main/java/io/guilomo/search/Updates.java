package io.guilomo.search;

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

  Updates(LoraMoeNetwork network, Kernels kernels, SearchSettings settings) {
    this.network = network;
    this.kernels = kernels;
    this.settings = settings;
    this.inner = new InnerUpdate(network, kernels, settings.inner(), settings.clipNorm());
  }

  /** All passes of a step over its training batch drop the same elements. */
  PassOptions trainingPass(long step) {
    return PassOptions.training(Seeds.mix(settings.seed(), 2 * step)).with(Accuracy.STEADY);
  }

  /** A training pass whose gradient is subtracted from that of another one. */
  PassOptions subtractedPass(long step) {
    return trainingPass(step).with(Gradient.GSVS).with(Accuracy.EXACT);
  }

  PassOptions validationPass(long step) {
    return PassOptions.training(Seeds.mix(settings.seed(), 2 * step + 1)).with(Accuracy.STEADY);
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
   * {@code a ← AdamW(a, gradient)}.
   *
   * @return number of argmaxes that moved
   */
  int outer(long step, INDArray gradient) {
    int[] before = network.maskChoices();
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
    int[] after = network.maskChoices();
    return (int) IntStream.range(0, before.length).filter(i -> before[i] != after[i]).count();
  }

  /** Scales the gradient down to the maximum norm; returns the norm before. */
  double clip(INDArray gradient) {
    return inner.clip(gradient);
  }
}
