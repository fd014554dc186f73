package io.guilomo.kernel.cuda;

import io.guilomo.kernel.Activation;
import io.guilomo.kernel.DropoutMask;
import io.guilomo.kernel.LayerKernels;
import java.util.Locale;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Norms, activations, dropout and the loss. */
record CudaLayers(CudaCard card) implements LayerKernels {

  /** Rows that a thread of dropout takes together. */
  private static final int ROWS_OF_THREAD = 4;

  @Override
  public void rmsNorm(INDArray x, INDArray weight, float epsilon, INDArray y, INDArray inverseRms) {
    synchronized (card.stream()) {
      card.launch("norms", "rms_norm")
          .matrix(x)
          .vector(weight)
          .real(epsilon)
          .integer((int) x.size(1))
          .matrix(y)
          .vector(inverseRms)
          .blockPerRow(x.size(0));
    }
  }

  @Override
  public void rmsNormBackward(
      INDArray dy, INDArray x, INDArray weight, INDArray inverseRms, INDArray dx) {
    synchronized (card.stream()) {
      card.launch("norms", "rms_norm_backward")
          .matrix(dy, x)
          .vector(weight, inverseRms)
          .integer((int) x.size(1))
          .matrix(dx)
          .blockPerRow(x.size(0));
    }
  }

  @Override
  public void layerNorm(
      INDArray x,
      INDArray weight,
      INDArray bias,
      float epsilon,
      INDArray y,
      INDArray mean,
      INDArray inverseDeviation) {
    synchronized (card.stream()) {
      card.launch("norms", "layer_norm")
          .matrix(x)
          .vector(weight, bias)
          .real(epsilon)
          .integer((int) x.size(1))
          .matrix(y)
          .vector(mean, inverseDeviation)
          .blockPerRow(x.size(0));
    }
  }

  @Override
  public void layerNormBackward(
      INDArray dy,
      INDArray x,
      INDArray weight,
      INDArray mean,
      INDArray inverseDeviation,
      INDArray dx) {
    synchronized (card.stream()) {
      card.launch("norms", "layer_norm_backward")
          .matrix(dy, x)
          .vector(weight, mean, inverseDeviation)
          .integer((int) x.size(1))
          .matrix(dx)
          .blockPerRow(x.size(0));
    }
  }

  @Override
  public void activate(Activation activation, INDArray x, INDArray y) {
    activate(kernel("activate", activation), x, y);
  }

  @Override
  public void gated(Activation activation, INDArray gateUp, INDArray y) {
    activate(kernel("gated", activation), gateUp, y);
  }

  @Override
  public void activateBackward(Activation activation, INDArray dy, INDArray x, INDArray dx) {
    activateBackward(kernel("activate_backward", activation), dy, x, dx);
  }

  @Override
  public void gatedBackward(Activation activation, INDArray dy, INDArray gateUp, INDArray dGateUp) {
    activateBackward(kernel("gated_backward", activation), dy, gateUp, dGateUp);
  }

  private static String kernel(String kind, Activation activation) {
    return kind + "_" + activation.name().toLowerCase(Locale.ROOT);
  }

  private void activate(String kernel, INDArray x, INDArray y) {
    synchronized (card.stream()) {
      card.launch("activations", kernel)
          .matrix(x)
          .integer((int) y.size(0), (int) y.size(1))
          .matrix(y)
          .rows(y.size(0), y.size(1));
    }
  }

  private void activateBackward(String kernel, INDArray dy, INDArray x, INDArray dx) {
    synchronized (card.stream()) {
      card.launch("activations", kernel)
          .matrix(dy, x)
          .integer((int) dy.size(0), (int) dy.size(1))
          .matrix(dx)
          .rows(dy.size(0), dy.size(1));
    }
  }

  @Override
  public void softcap(INDArray x, float cap) {
    synchronized (card.stream()) {
      card.launch("activations", "softcap")
          .matrix(x)
          .integer((int) x.size(0), (int) x.size(1))
          .real(cap)
          .rows(x.size(0), x.size(1));
    }
  }

  @Override
  public void softcapBackward(INDArray dy, INDArray y, float cap) {
    synchronized (card.stream()) {
      card.launch("activations", "softcap_backward")
          .matrix(dy, y)
          .integer((int) y.size(0), (int) y.size(1))
          .real(cap)
          .rows(y.size(0), y.size(1));
    }
  }

  @Override
  public void dropout(INDArray x, DropoutMask mask, INDArray y) {
    dropout(x, mask, y, false);
  }

  @Override
  public void dropoutBackward(INDArray dy, DropoutMask mask, INDArray dx) {
    dropout(dy, mask, dx, true);
  }

  private void dropout(INDArray x, DropoutMask mask, INDArray y, boolean accumulate) {
    synchronized (card.stream()) {
      card.launch("activations", "dropout")
          .matrix(x)
          .integer((int) x.size(0), (int) x.size(1))
          .address(mask.seed())
          .integer(mask.firstRow(), (int) mask.threshold())
          .real(mask.factor())
          .matrix(y)
          .flag(accumulate)
          .rows((x.size(0) + ROWS_OF_THREAD - 1) / ROWS_OF_THREAD, x.size(1));
    }
  }

  @Override
  public void crossEntropy(
      INDArray logits,
      int[] labels,
      float scale,
      boolean gradient,
      INDArray losses,
      INDArray totals) {
    synchronized (card.stream()) {
      int rows = labels.length;
      long hits =
          gradient ? 0 : card.scratch().of(DeviceScratch.Use.HITS, (long) rows * Integer.BYTES);
      card.launch("loss", "cross_entropy")
          .matrix(logits)
          .integer((int) logits.size(1))
          .address(card.indices().of(labels))
          .real(scale)
          .flag(gradient)
          .vector(losses)
          .address(hits)
          .blockPerRow(rows);
      card.launch("loss", "loss_totals")
          .vector(losses)
          .address(hits)
          .integer(rows)
          .vector(totals)
          .blockPerRow(1);
    }
  }
}
