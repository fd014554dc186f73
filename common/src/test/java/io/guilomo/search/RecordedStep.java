package io.guilomo.search;

import io.guilomo.kernel.KernelArrays;
import io.guilomo.kernel.Kernels;
import io.guilomo.kernel.ObservedKernels;
import java.util.ArrayList;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/** What a search step gives its kernels and gets from them, in its order. */
final class RecordedStep implements ObservedKernels.Observer {

  /** {@code result = AdamW(w, gradient)}. */
  record Update(INDArray gradient, INDArray result) {}

  /** {@code result = x + factor · y}. */
  record Sum(INDArray x, double factor, INDArray y, INDArray result) {}

  private final Kernels kernels;
  private final List<Update> updates = new ArrayList<>();
  private final List<Sum> sums = new ArrayList<>();
  private final List<Double> losses = new ArrayList<>();
  private boolean inHead;
  private INDArray x;
  private INDArray y;
  private double lossBefore;

  RecordedStep(Kernels kernels) {
    this.kernels = kernels;
  }

  @Override
  public void before(String kernel, Object[] arguments) {
    switch (kernel) {
      case "adamW" -> x = copy(arguments[4]);
      case "addScaled" -> {
        x = copy(arguments[0]);
        y = copy(arguments[2]);
      }
      case "crossEntropy" -> lossBefore = loss(arguments);
      default -> {}
    }
  }

  @Override
  public void after(String kernel, Object[] arguments, Object result) {
    switch (kernel) {
      case "adamW" -> updates.add(new Update(x, copy(arguments[7])));
      case "addScaled" -> sums.add(new Sum(x, (double) arguments[1], y, copy(arguments[3])));
      case "route" -> inHead = false;
      case "crossEntropy" -> {
        // The head takes its tokens in chunks; the scale is one by the number of labels.
        double loss = (loss(arguments) - lossBefore) * (float) arguments[2];
        if (inHead) {
          loss += losses.remove(losses.size() - 1);
        }
        losses.add(loss);
        inHead = true;
      }
      default -> {}
    }
  }

  private INDArray copy(Object array) {
    return KernelArrays.host(kernels, (INDArray) array);
  }

  /** In the totals so far. */
  private double loss(Object[] arguments) {
    return KernelArrays.doubleValues(kernels, (INDArray) arguments[5])[0];
  }

  void clear() {
    updates.clear();
    sums.clear();
    losses.clear();
    inHead = false;
  }

  /** Loss of each pass. */
  List<Double> losses() {
    return losses;
  }

  /** Of vectors of that length. */
  List<Update> updates(long length) {
    return updates.stream().filter(update -> update.gradient().length() == length).toList();
  }

  /** Of vectors of that length. */
  List<Sum> sums(long length) {
    return sums.stream().filter(sum -> sum.x().length() == length).toList();
  }
}
