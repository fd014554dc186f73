package io.guilomo.network.moe;

import io.guilomo.kernel.Kernels;
import io.guilomo.model.ModuleExperts;
import io.guilomo.network.ArrayDeclarations;
import io.guilomo.network.WorkingArray;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/** {@code drop(x) Aᵀ} of experts that have an {@code A} each: the modules share a dropout mask. */
final class SeparateA extends DownProjection {

  private final Dropout dropout;
  private final WorkingArray hArray;
  private final WorkingArray droppedArray;

  SeparateA(Dropout dropout, List<ModuleExperts> modules, ArrayDeclarations arrays) {
    int inFeatures = modules.get(0).module().inFeatures();
    int ranks = modules.stream().mapToInt(ModuleExperts::totalRank).sum();
    this.dropout = dropout;
    this.hArray = arrays.kept("h", ranks);
    this.droppedArray = dropout.rate() > 0 ? arrays.scratch("ofInput", inFeatures) : null;
  }

  @Override
  void forward(INDArray x) {
    context.kernels().product(dropped(x), false, a, true, context.array(hArray), false);
  }

  @Override
  INDArray read() {
    return context.array(hArray);
  }

  @Override
  void backward(INDArray dh, INDArray x, INDArray dx) {
    Kernels kernels = context.kernels();
    if (context.wantsWeights()) {
      kernels.product(dh, true, dropped(x), false, gradientA, false);
    }
    if (dx == null) {
      return;
    }
    if (dropout.on(context)) {
      INDArray dDropped = context.array(droppedArray);
      kernels.product(dh, false, a, false, dDropped, false);
      kernels.dropoutBackward(dDropped, dropout.mask(context), dx);
    } else {
      kernels.product(dh, false, a, false, dx, true);
    }
  }

  private INDArray dropped(INDArray x) {
    if (!dropout.on(context)) {
      return x;
    }
    INDArray dropped = context.array(droppedArray);
    context.kernels().dropout(x, dropout.mask(context), dropped);
    return dropped;
  }
}
