package io.guilomo.network;

import io.guilomo.golden.GoldenFiles;
import io.guilomo.kernel.ExpertChoice;
import io.guilomo.kernel.KernelArrays;
import io.guilomo.kernel.Kernels;
import io.guilomo.kernel.ObservedKernels;
import io.guilomo.model.LinearModule;
import io.guilomo.model.ModuleExperts;
import java.util.ArrayList;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** What the routers of a network did in its passes, module by module. */
final class ObservedRouting implements ObservedKernels.Observer {

  /**
   * One router's part of a pass.
   *
   * @param logits {@code x Gᵀ [T, experts]}
   * @param mask {@code m [experts]}; null in the fine-tuning stage
   * @param choice {@code [T · k]}
   * @param weights {@code p̂ [T, experts]}
   */
  record Routed(INDArray logits, INDArray mask, int[] choice, INDArray weights) {

    /** {@code x Gᵀ + m}, which the released code calls the router logits. */
    INDArray masked() {
      return mask == null ? logits : logits.addRowVector(mask);
    }

    /**
     * Compares {@link #masked()}, and anew without the dropped experts: their −1e4 hides others.
     */
    double closeTo(String name, INDArray expected, double tolerance) {
      double error = GoldenFiles.assertClose(name, masked(), expected, tolerance);
      if (mask == null) {
        return error;
      }
      int kept = mask.gt(0).castTo(mask.dataType()).sumNumber().intValue();
      return Math.max(
          error,
          GoldenFiles.assertClose(
              name + " of the experts in use",
              columns(masked(), kept),
              columns(expected, kept),
              tolerance));
    }

    private static INDArray columns(INDArray array, int count) {
      return array.get(NDArrayIndex.all(), NDArrayIndex.interval(0, count)).dup('c');
    }
  }

  private final Kernels kernels;
  private final List<Routed> routed = new ArrayList<>();
  private INDArray logits;
  private INDArray mask;

  ObservedRouting(Kernels kernels) {
    this.kernels = kernels;
  }

  @Override
  public void before(String kernel, Object[] arguments) {
    if (kernel.equals("route")) {
      logits = host(arguments[0]);
      mask = arguments[1] == null ? null : host(arguments[1]);
    }
  }

  @Override
  public void after(String kernel, Object[] arguments, Object result) {
    if (kernel.equals("route")) {
      int[] choice = ((ExpertChoice) arguments[4]).toArray();
      routed.add(new Routed(logits, mask, choice, host(arguments[6])));
    }
  }

  private INDArray host(Object array) {
    return KernelArrays.host(kernels, (INDArray) array);
  }

  void clear() {
    routed.clear();
  }

  /** Of the only pass since {@link #clear()}, whose routers run in the order of {@code modules}. */
  Routed of(List<ModuleExperts> modules, LinearModule module) {
    if (routed.size() != modules.size()) {
      throw new AssertionError(routed.size() + " routers ran, not " + modules.size());
    }
    return routed.get(modules.stream().map(ModuleExperts::module).toList().indexOf(module));
  }

  /** Of the only router that ran. */
  Routed only() {
    if (routed.size() != 1) {
      throw new AssertionError(routed.size() + " routers ran");
    }
    return routed.get(0);
  }
}
