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
     * @param y {@code [T, hidden]}, written or, if {@code accumulate}, added to; null where only
     *     what {@link #backward} reads is wanted
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

  /**
   * Whether a branch is the last of its block. What the block puts out, and what the backward pass
   * reads of the last branch's result, is kept even where blocks are computed again.
   */
  public enum Place {
    INSIDE,
    LAST
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
   * @param place of the branch in its block
   * @param kind name of the sum among the block's arrays
   */
  public static Residual preNorm(
      TransformerBlock block, Place place, String kind, Norm norm, Branch branch) {
    return new PreNorm(block, place, kind, norm, branch);
  }

  /**
   * {@code y = norm(x + branch(x))}.
   *
   * @param place of the branch in its block
   * @param kind name of the sum among the block's arrays
   */
  public static Residual postNorm(
      TransformerBlock block, Place place, String kind, Norm norm, Branch branch) {
    return new PostNorm(block, place, kind, norm, branch);
  }

  /**
   * {@code y = x + after(branch(norm(x)))} (arXiv 2408.00118).
   *
   * @param place of the branch in its block
   * @param kind name of the sum among the block's arrays
   * @param after whose result nothing else reads
   */
  public static Residual sandwich(
      TransformerBlock block, Place place, String kind, Norm norm, Branch branch, Norm after) {
    return new Sandwich(block, place, kind, norm, branch, after);
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
   * Computes again what {@link #backward} reads, except for what is kept.
   *
   * @param x the input of the forward pass
   */
  abstract void recompute(INDArray x);

  /**
   * @param d gradient by the output, which becomes that by the input
   * @param wanted whether the gradient by the input is; else {@code d} is left undefined
   */
  abstract void backward(INDArray d, boolean wanted);

  static WorkingArray array(TransformerBlock block, Place place, String kind) {
    return place == Place.LAST
        ? block.declarations().kept(kind, block.hidden())
        : block.declarations().saved(kind, block.hidden());
  }

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

    PreNorm(TransformerBlock block, Place place, String kind, Norm norm, Branch branch) {
      super(norm, branch, array(block, place, kind));
      this.dNormed = block.declarations().scratch("dNormed", block.hidden());
    }

    @Override
    INDArray forward(INDArray x) {
      normed = norm.forward(x);
      return sumOf(x, normed);
    }

    @Override
    void recompute(INDArray x) {
      normed = norm.forward(x);
      branch.forward(normed, null, true);
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

    PostNorm(TransformerBlock block, Place place, String kind, Norm norm, Branch branch) {
      super(norm, branch, array(block, place, kind));
    }

    @Override
    INDArray forward(INDArray input) {
      x = input;
      return norm.forward(sumOf(x, x));
    }

    @Override
    void recompute(INDArray input) {
      x = input;
      branch.forward(x, null, true);
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

    Sandwich(
        TransformerBlock block, Place place, String kind, Norm norm, Branch branch, Norm after) {
      super(norm, branch, array(block, place, kind));
      this.after = after;
      this.branchArray = array(block, place, kind + ".branch");
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
    void recompute(INDArray x) {
      normed = norm.forward(x);
      branch.forward(normed, null, false);
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
