package io.guilomo.network.block;

import io.guilomo.network.Norm;
import io.guilomo.network.PassContext;
import io.guilomo.network.WorkingArray;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A branch of a block, such as its attention, with the norm and the residual sum around it. */
public abstract class Residual {

  /** What a residual connection leads around. */
  public interface Branch {

    /** Called once before the first pass, when the block's linear modules are attached. */
    void attach(PassContext shared);

    /**
     * @param x {@code [T, hidden]}, which stays as it is until {@link #backward}
     * @param y {@code [T, hidden]}, written or, if {@code accumulate}, added to
     */
    void forward(INDArray x, INDArray y, boolean accumulate);

    /**
     * @param d gradient by the output
     * @param x the input of the forward pass
     * @param dx gradient by it, written or, if {@code accumulate}, added to; null if not wanted. It
     *     may be {@code d} if it is added to
     */
    void backward(INDArray d, INDArray x, INDArray dx, boolean accumulate);
  }

  final Norm norm;
  final Branch branch;
  private final WorkingArray sum;
  PassContext context;

  private Residual(Norm norm, Branch branch, WorkingArray sum) {
    this.norm = norm;
    this.branch = branch;
    this.sum = sum;
  }

  /**
   * {@code y = x + branch(norm(x))}.
   *
   * @param kind name of the sum among the block's arrays
   */
  public static Residual preNorm(TransformerBlock block, String kind, Norm norm, Branch branch) {
    return new PreNorm(block, kind, norm, branch);
  }

  /**
   * {@code y = norm(x + branch(x))}.
   *
   * @param kind name of the sum among the block's arrays
   */
  public static Residual postNorm(TransformerBlock block, String kind, Norm norm, Branch branch) {
    return new PostNorm(block, kind, norm, branch);
  }

  /**
   * {@code y = x + after(branch(norm(x)))} (arXiv 2408.00118).
   *
   * @param kind name of the sum among the block's arrays
   * @param after whose result nothing else reads
   */
  public static Residual sandwich(
      TransformerBlock block, String kind, Norm norm, Branch branch, Norm after) {
    return new Sandwich(block, kind, norm, branch, after);
  }

  void attach(PassContext shared) {
    context = shared;
    norm.attach(shared);
    branch.attach(shared);
  }

  /**
   * @param x {@code [T, hidden]}
   * @return {@code [T, hidden]}, in an array of its own
   */
  abstract INDArray forward(INDArray x);

  /**
   * @param d gradient by the output, which becomes that by the input
   * @param wanted whether the gradient by the input is; else {@code d} is left undefined
   */
  abstract void backward(INDArray d, boolean wanted);

  final INDArray sumOf(INDArray x, INDArray branchInput) {
    INDArray y = sum();
    context.kernels().copy(x, y);
    branch.forward(branchInput, y, true);
    return y;
  }

  /** The array of the residual sum. */
  final INDArray sum() {
    return context.array(sum);
  }

  private static final class PreNorm extends Residual {

    private final WorkingArray dNormed;
    private INDArray normed;

    PreNorm(TransformerBlock block, String kind, Norm norm, Branch branch) {
      super(norm, branch, block.declarations().saved(kind, block.hidden()));
      this.dNormed = block.declarations().scratch("dNormed", block.hidden());
    }

    @Override
    INDArray forward(INDArray x) {
      normed = norm.forward(x);
      return sumOf(x, normed);
    }

    @Override
    void backward(INDArray d, boolean wanted) {
      INDArray inner = wanted ? context.array(dNormed) : null;
      branch.backward(d, normed, inner, false);
      if (wanted) {
        norm.backward(inner, d, true);
      }
    }
  }

  private static final class PostNorm extends Residual {

    private INDArray x;

    PostNorm(TransformerBlock block, String kind, Norm norm, Branch branch) {
      super(norm, branch, block.declarations().saved(kind, block.hidden()));
    }

    @Override
    INDArray forward(INDArray input) {
      x = input;
      return norm.forward(sumOf(x, x));
    }

    @Override
    void backward(INDArray d, boolean wanted) {
      norm.backward(d, d, false);
      branch.backward(d, x, wanted ? d : null, true);
    }
  }

  private static final class Sandwich extends Residual {

    private final Norm after;
    private final WorkingArray branchArray;
    private final WorkingArray dBranch;
    private final WorkingArray dNormed;
    private INDArray normed;

    Sandwich(TransformerBlock block, String kind, Norm norm, Branch branch, Norm after) {
      super(norm, branch, block.declarations().saved(kind, block.hidden()));
      this.after = after;
      this.branchArray = block.declarations().saved(kind + ".branch", block.hidden());
      this.dBranch = block.declarations().scratch("dBranch", block.hidden());
      this.dNormed = block.declarations().scratch("dNormed", block.hidden());
    }

    @Override
    void attach(PassContext shared) {
      super.attach(shared);
      after.attach(shared);
    }

    @Override
    INDArray forward(INDArray x) {
      normed = norm.forward(x);
      INDArray output = context.array(branchArray);
      branch.forward(normed, output, false);
      INDArray y = sum();
      context.kernels().addScaled(x, 1, after.forward(output), y);
      return y;
    }

    @Override
    void backward(INDArray d, boolean wanted) {
      INDArray dOutput = context.array(dBranch);
      after.backward(d, dOutput, false);
      INDArray inner = wanted ? context.array(dNormed) : null;
      branch.backward(dOutput, normed, inner, false);
      if (wanted) {
        norm.backward(inner, d, true);
      }
    }
  }
}
