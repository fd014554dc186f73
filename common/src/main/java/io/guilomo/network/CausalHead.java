package io.guilomo.network;

import io.guilomo.data.TokenBatch;
import io.guilomo.kernel.ArrayViews;
import io.guilomo.kernel.FrozenMatrix;
import io.guilomo.kernel.Kernels;
import java.util.Arrays;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Next-token cross-entropy, mean over the label positions. The vocabulary product is run for those
 * positions alone, chunk by chunk, so that prompt tokens cost nothing and the logits of a large
 * vocabulary are never in memory all at once.
 */
public final class CausalHead implements Head {

  /** The name of the last norm's frozen tensors, before {@code .weight}. */
  public static final String NORM = "head.norm";

  /** The name of the frozen product with the vocabulary, {@code [vocabulary, hidden]}. */
  public static final String WEIGHT = "head.weight";

  /** Logits of a chunk: 64 MiB. */
  private static final int CHUNK_ELEMENTS = 1 << 24;

  private final int vocabulary;
  private final ArrayDeclarations arrays = new ArrayDeclarations("head");
  private final WorkingArray pickedArray;
  private final float softcap;
  private final WorkingArray logitsArray;
  private final WorkingArray cappedArray;
  private final WorkingArray dPickedArray;
  private final WorkingArray dStatesArray;
  private final WorkingArray dArray;
  private final Norm norm;
  private PassContext context;
  private FrozenMatrix weight;
  private int labels;
  private int allLabels;

  /**
   * @param epsilon of the root-mean-square norm before the vocabulary product
   */
  public CausalHead(int hidden, int vocabulary, float epsilon) {
    this(hidden, vocabulary, epsilon, 0);
  }

  /**
   * @param epsilon of the root-mean-square norm before the vocabulary product
   * @param softcap bound {@code c} on the logits, which become {@code c · tanh(logit / c)} (arXiv
   *     2408.00118); 0 for none
   */
  public CausalHead(int hidden, int vocabulary, float epsilon, float softcap) {
    this.vocabulary = vocabulary;
    this.softcap = softcap;
    this.pickedArray = arrays.scratch("ofInput", Extent.LABELS, hidden);
    this.logitsArray = arrays.scratch("head.logits", Extent.LABELS, vocabulary, chunk(vocabulary));
    this.cappedArray =
        softcap == 0
            ? null
            : arrays.scratch("head.capped", Extent.LABELS, vocabulary, chunk(vocabulary));
    this.dPickedArray = arrays.scratch("dNormed", Extent.LABELS, hidden);
    this.dStatesArray = arrays.scratch("dInner", Extent.LABELS, hidden);
    this.dArray = arrays.scratch("d", hidden);
    this.norm =
        Norm.rms(
            NORM,
            epsilon,
            arrays.scratch("head.normed", Extent.LABELS, hidden),
            arrays.scratch("head.rms", Extent.LABELS, WorkingArray.VECTOR));
  }

  @Override
  public ParameterLayout parameters() {
    return ParameterLayout.EMPTY;
  }

  @Override
  public List<WorkingArray> arrays() {
    return arrays.declared();
  }

  @Override
  public void attach(PassContext shared, INDArray parameters) {
    this.context = shared;
    this.weight = shared.backbone().matrix(WEIGHT);
    norm.attach(shared);
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
    INDArray normed = norm.forward(states);
    INDArray logits = context.array(logitsArray, states.rows());
    product(normed, logits);
    return logits;
  }

  /** Logits of the given rows of the states: {@code [rows, vocabulary]}. */
  INDArray logits(INDArray states, int[] rows) {
    return forward(picked(states, rows));
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
    INDArray d = context.array(dArray);
    context.kernels().fill(d, 0);
    run(states, d);
    return d;
  }

  /** Positions whose logits are in memory at the same time. */
  private static int chunk(int vocabulary) {
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
    INDArray normed = norm.forward(picked(states, rows));
    INDArray dPicked = d == null ? null : context.array(dPickedArray, labels);
    INDArray losses = measurements().losses(labels);
    int chunk = chunk(vocabulary);
    for (int begin = 0; begin < labels; begin += chunk) {
      int end = Math.min(labels, begin + chunk);
      INDArray logits = context.array(logitsArray, end - begin);
      product(ArrayViews.rows(normed, begin, end - begin), logits);
      INDArray capped = d == null ? null : kept(logits);
      kernels.crossEntropy(
          logits,
          Arrays.copyOfRange(targets, begin, end),
          1f / all,
          d != null,
          ArrayViews.slice(losses, begin, end - begin),
          measurements().totals());
      if (d != null) {
        if (capped != null) {
          kernels.softcapBackward(logits, capped, softcap);
        }
        INDArray dChunk = ArrayViews.rows(dPicked, begin, end - begin);
        kernels.matmulBackward(logits, weight, dChunk, false);
      }
    }
    if (d != null) {
      INDArray dStates = context.array(dStatesArray, labels);
      norm.backward(dPicked, dStates, false);
      kernels.scatterAddRows(dStates, rows, d);
    }
  }

  private void product(INDArray normed, INDArray logits) {
    context.kernels().matmul(normed, weight, logits, false);
    if (softcap > 0) {
      context.kernels().softcap(logits, softcap);
    }
  }

  /** A copy of capped logits, which their gradient overwrites; null if there is no cap. */
  private INDArray kept(INDArray logits) {
    if (softcap == 0) {
      return null;
    }
    INDArray capped = context.array(cappedArray, logits.rows());
    context.kernels().copy(logits, capped);
    return capped;
  }

  private INDArray picked(INDArray states, int[] rows) {
    INDArray picked = context.array(pickedArray, rows.length);
    context.kernels().gatherRows(states, rows, picked, false);
    return picked;
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
