package io.guilomo.network.moe;

import io.guilomo.kernel.Kernels;
import io.guilomo.model.ModuleExperts;
import io.guilomo.network.ArrayDeclarations;
import io.guilomo.network.PartNames;
import io.guilomo.network.WorkingArray;
import java.util.ArrayList;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * {@code h = drop(x Aᵀ)} of modules whose experts have one {@code A} together (arXiv 2412.08946):
 * one product for the {@code A} of all modules. An expert of rank {@code r} reads the first {@code
 * r} columns of its module's {@code h}; they are laid out side by side, as if each expert had its
 * own {@code A}.
 */
final class SharedA extends DownProjection {

  /**
   * The columns of one expert.
   *
   * @param first of its module among those of all {@code A}
   * @param laid of the expert among those of all experts
   */
  private record Columns(long first, long laid, int rank, Dropout dropout) {}

  private final List<Columns> experts = new ArrayList<>();
  private final WorkingArray hArray;
  private final WorkingArray laidArray;

  /**
   * @param rate of dropout; each module has a mask of its own
   */
  SharedA(double rate, List<ModuleExperts> modules, ArrayDeclarations arrays) {
    int row = 0;
    int rank = 0;
    for (ModuleExperts module : modules) {
      Dropout dropout = new Dropout(rate, PartNames.prefix(module.module()) + "A");
      for (int own : module.ranks()) {
        experts.add(new Columns(row, rank, own, dropout));
        rank += own;
      }
      row += module.rowsOfA();
    }
    this.hArray = arrays.kept("h", row);
    this.laidArray = arrays.scratch("ofExperts", rank);
  }

  @Override
  void forward(INDArray x) {
    context.kernels().product(x, false, a, true, context.array(hArray), false);
  }

  @Override
  INDArray read() {
    Kernels kernels = context.kernels();
    INDArray h = context.array(hArray);
    INDArray laid = context.array(laidArray);
    for (Columns expert : experts) {
      INDArray own = ofExpert(laid, expert);
      if (expert.dropout().on(context)) {
        kernels.dropout(ofModule(h, expert), expert.dropout().mask(context), own);
      } else {
        kernels.copy(ofModule(h, expert), own);
      }
    }
    return laid;
  }

  @Override
  void backward(INDArray dh, INDArray x, INDArray dx) {
    Kernels kernels = context.kernels();
    // The experts have read h, whose place its gradient takes.
    INDArray sum = context.array(hArray);
    kernels.fill(sum, 0);
    for (Columns expert : experts) {
      kernels.dropoutBackward(
          ofExpert(dh, expert), expert.dropout().mask(context), ofModule(sum, expert));
    }
    if (context.wantsWeights()) {
      kernels.product(sum, true, x, false, gradientA, false);
    }
    if (dx != null) {
      kernels.product(sum, false, a, false, dx, true);
    }
  }

  private INDArray ofModule(INDArray h, Columns expert) {
    return context.columns(h, expert.first(), expert.rank());
  }

  private INDArray ofExpert(INDArray laid, Columns expert) {
    return context.columns(laid, expert.laid(), expert.rank());
  }
}
