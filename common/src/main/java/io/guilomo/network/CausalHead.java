package io.guilomo.network;

import io.guilomo.data.TokenBatch;
import io.guilomo.family.LlamaBackbone;
import io.guilomo.kernel.ArrayViews;
import io.guilomo.kernel.Kernels;
import java.util.Arrays;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Next-token cross-entropy, mean over the label positions. The vocabulary product is run for those
 * positions alone, a chunk at a time, so that prompt tokens cost nothing and logits of a large
 * vocabulary never lie in memory all at once.
 */
final class CausalHead implements Head {

  /** Logits of a chunk: 64 MiB. */
  private static final int CHUNK_ELEMENTS = 1 << 24;

  private LlamaBackbone backbone;
  private PassContext context;
  private int labels;
  private int allLabels;

  @Override
  public ParameterLayout parameters() {
    return ParameterLayout.EMPTY;
  }

  @Override
  public void attach(PassContext shared, INDArray parameters) {
    this.context = shared;
    this.backbone = (LlamaBackbone) shared.backbone();
  }

  @Override
  public void attachGradient(INDArray gradient) {}

  @Override
  public Measurements measurements() {
    return context.measurements();
  }

  @Override
  public int allLabels() {
    return allLabels;
  }

  @Override
  public int labels() {
    return labels;
  }

  /** Logits of every token: {@code [T, vocabulary]}. */
  @Override
  public INDArray forward(INDArray states) {
    INDArray normed = normed(states, "");
    INDArray logits =
        context.buffers().array("head.all", states.rows(), backbone.config().vocabulary());
    context.kernels().product(normed, false, backbone.head(), true, logits, false);
    return logits;
  }

  /** Logits of the given rows of the states: {@code [rows, vocabulary]}. */
  INDArray logits(INDArray states, int[] rows) {
    INDArray logits =
        context.buffers().array("head.logits", rows.length, backbone.config().vocabulary());
    INDArray normed = normed(picked(states, rows), "head.");
    context.kernels().product(normed, false, backbone.head(), true, logits, false);
    return logits;
  }

  /** {@code −log p} of one token after each of the given rows of the states. */
  float[] losses(INDArray states, int[] rows, int[] targets) {
    float[] losses = new float[rows.length];
    run(states, rows, targets, rows.length, null);
    if (rows.length > 0) {
      context.kernels().read(measurements().losses(rows.length), losses);
    }
    return losses;
  }

  @Override
  public void measure(INDArray states) {
    run(states, null);
  }

  @Override
  public INDArray backward(INDArray states) {
    INDArray d = context.buffers().array("d", states.rows(), backbone.config().hidden());
    context.kernels().fill(d, 0);
    run(states, d);
    return d;
  }

  /** Positions whose logits are computed at a time. */
  static int chunk(int vocabulary) {
    return Math.max(1, CHUNK_ELEMENTS / vocabulary);
  }

  private void run(INDArray states, INDArray d) {
    int[] rows = labelled(context.batch());
    run(
        states,
        rows,
        Arrays.stream(rows).map(row -> context.batch().labels()[row + 1]).toArray(),
        context.whole() == context.batch() ? rows.length : labelled(context.whole()).length,
        d);
  }

  /**
   * @param all labels that the loss is a mean over
   */
  private void run(INDArray states, int[] rows, int[] targets, int all, INDArray d) {
    Kernels kernels = context.kernels();
    labels = rows.length;
    allLabels = all;
    if (labels == 0) {
      return;
    }
    INDArray picked = picked(states, rows);
    INDArray normed = normed(picked, "head.");
    INDArray dPicked = context.buffers().array("head.dPicked", labels, backbone.config().hidden());
    INDArray losses = measurements().losses(labels);
    int chunk = chunk(backbone.config().vocabulary());
    for (int begin = 0; begin < labels; begin += chunk) {
      int end = Math.min(labels, begin + chunk);
      INDArray logits =
          context.buffers().array("head.logits", end - begin, backbone.config().vocabulary());
      kernels.product(
          ArrayViews.rows(normed, begin, end - begin), false, backbone.head(), true, logits, false);
      int[] chunkTargets = Arrays.copyOfRange(targets, begin, end);
      kernels.crossEntropy(
          logits,
          chunkTargets,
          1f / all,
          d != null,
          ArrayViews.stretch(losses, begin, end - begin),
          measurements().totals());
      if (d != null) {
        kernels.product(
            logits,
            false,
            backbone.head(),
            false,
            ArrayViews.rows(dPicked, begin, end - begin),
            false);
      }
    }
    if (d != null) {
      INDArray dStates =
          context.buffers().array("head.dStates", labels, backbone.config().hidden());
      kernels.fill(dStates, 0);
      kernels.rmsNormBackward(
          dPicked,
          picked,
          backbone.finalNorm(),
          context.buffers().array("head.rms", labels),
          dStates);
      kernels.scatterAddRows(dStates, rows, d);
    }
  }

  private INDArray picked(INDArray states, int[] rows) {
    INDArray picked =
        context.buffers().array("head.picked", rows.length, backbone.config().hidden());
    context.kernels().gatherRows(states, rows, picked, false);
    return picked;
  }

  private INDArray normed(INDArray states, String prefix) {
    INDArray normed =
        context.buffers().array(prefix + "finalNormed", states.rows(), backbone.config().hidden());
    INDArray rms = context.buffers().array(prefix + "rms", states.rows());
    context
        .kernels()
        .rmsNorm(states, backbone.finalNorm(), backbone.config().epsilon(), normed, rms);
    return normed;
  }

  /** Rows whose next token of the same sequence is a label. */
  static int[] labelled(TokenBatch batch) {
    int[] rows = new int[batch.size()];
    int count = 0;
    for (int i = 0; i < batch.sequences(); i++) {
      for (int t = batch.starts()[i]; t < batch.starts()[i + 1] - 1; t++) {
        if (batch.labels()[t + 1] != TokenBatch.IGNORED) {
          rows[count++] = t;
        }
      }
    }
    return Arrays.copyOf(rows, count);
  }
}
