package io.guilomo.network;

import io.guilomo.kernel.ArrayViews;
import io.guilomo.kernel.Kernels;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What the parts of a replica measure in a pass. It is one vector, {@code [sum of the losses, hits
 * | statistics of each term of the batch loss]}, so that the host waits for the device once; what
 * the host makes of it, the gradients of the terms, goes back in another.
 */
public final class Measurements implements AutoCloseable {

  private static final int TOTALS = 2;

  private final Kernels kernels;
  private final List<Slot> slots = new ArrayList<>();
  private int statistics = TOTALS;
  private int gradients;
  private INDArray vector;
  private INDArray totals;
  private INDArray gradient;
  private INDArray losses;
  private double[] values;

  /** Where the statistics of one term are, and its gradient. Only once passes have begun. */
  public final class Slot {

    private final BatchLoss.Term term;
    private final int first;
    private final int firstGradient;

    private Slot(BatchLoss.Term term) {
      this.term = term;
      this.first = statistics;
      this.firstGradient = gradients;
    }

    /** A view of {@code count} statistics of {@link DataType#DOUBLE}, from the term's own. */
    public INDArray statistics(int from, int count) {
      return ArrayViews.slice(vector, (long) first + from, count);
    }

    /** A view of what {@link BatchLoss.Term#evaluate} wrote. */
    public INDArray gradient() {
      return ArrayViews.slice(gradient, firstGradient, term.gradients());
    }
  }

  Measurements(Kernels kernels) {
    this.kernels = kernels;
  }

  /** Adds a term, in the order in which their owners run; none once passes have begun. */
  public Slot add(BatchLoss.Term term) {
    if (vector != null) {
      throw new IllegalStateException("Cannot measure another term: passes have begun");
    }
    Slot slot = new Slot(term);
    slots.add(slot);
    statistics += term.statistics();
    gradients += term.gradients();
    return slot;
  }

  /** Forgets what earlier passes have measured. */
  void begin() {
    if (vector == null) {
      vector = kernels.allocate(DataType.DOUBLE, statistics);
      values = new double[statistics];
      totals = ArrayViews.slice(vector, 0, TOTALS);
      gradient = kernels.allocate(DataType.FLOAT, Math.max(1, gradients));
      kernels.fill(gradient, 0);
    }
    kernels.fill(vector, 0);
  }

  /** Sum of the losses, and hits: {@code [2]}. */
  INDArray totals() {
    return totals;
  }

  /** The single losses of a head, {@code [n]}. */
  INDArray losses(int n) {
    if (losses == null || losses.length() < n) {
      if (losses != null) {
        kernels.release(losses);
      }
      losses = kernels.allocate(DataType.FLOAT, n);
    }
    return ArrayViews.slice(losses, 0, n);
  }

  /** Waits for what was measured since the pass began. */
  void read() {
    kernels.read(vector, values);
  }

  /** Sum of the losses, as it was read. */
  double loss() {
    return values[0];
  }

  /** Labels whose class had the largest logit, as they were read. */
  int hits() {
    return (int) values[1];
  }

  /**
   * Evaluates the terms on what all replicas have read.
   *
   * @param replicas that ran parts of the batch; their terms are the same
   * @return gradients of all terms, for {@link #write}
   */
  static float[] evaluate(List<Measurements> replicas, BatchLoss loss) {
    Measurements first = replicas.get(0);
    double[] sums = first.values.clone();
    for (Measurements other : replicas.subList(1, replicas.size())) {
      for (int i = 0; i < sums.length; i++) {
        sums[i] += other.values[i];
      }
    }
    float[] all = new float[Math.max(1, first.gradients)];
    for (Slot slot : first.slots) {
      float[] own = new float[slot.term.gradients()];
      slot.term.evaluate(
          Arrays.copyOfRange(sums, slot.first, slot.first + slot.term.statistics()), loss, own);
      System.arraycopy(own, 0, all, slot.firstGradient, own.length);
    }
    return all;
  }

  /** Hands the gradients of the terms to their owners. */
  void write(float[] all) {
    kernels.write(all, gradient);
  }

  @Override
  public void close() {
    if (vector != null) {
      kernels.release(vector);
      kernels.release(gradient);
    }
    if (losses != null) {
      kernels.release(losses);
    }
  }
}
