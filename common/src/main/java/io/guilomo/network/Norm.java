package io.guilomo.network;

import io.guilomo.kernel.Kernels;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A frozen norm over the features of each token. */
public interface Norm {

  /** Called once before the first pass. */
  void attach(PassContext shared);

  /**
   * @param x {@code [rows, hidden]}, which must stay as it is until {@link #backward}
   * @return the normed rows, in an array of the norm's own
   */
  INDArray forward(INDArray x);

  /**
   * @param dy gradient by the normed rows; may be overwritten
   * @param dx gradient by {@code x}, written or, if {@code accumulate}, added to
   */
  void backward(INDArray dy, INDArray dx, boolean accumulate);

  /**
   * Root-mean-square norm (arXiv 1910.07467).
   *
   * @param name of the frozen weight, before {@code .weight}
   * @param normed its result
   * @param inverseRms a number per row, kept for the backward pass
   */
  static Norm rms(String name, float epsilon, WorkingArray normed, WorkingArray inverseRms) {
    return new Rms(name, epsilon, normed, inverseRms);
  }

  /**
   * Layer norm (arXiv 1607.06450).
   *
   * @param name of the frozen weight and bias, before {@code .weight} and {@code .bias}
   * @param normed its result
   * @param mean a number per row, kept for the backward pass
   * @param inverseDeviation a number per row, kept for the backward pass
   */
  static Norm layer(
      String name,
      float epsilon,
      WorkingArray normed,
      WorkingArray mean,
      WorkingArray inverseDeviation) {
    return new Layer(name, epsilon, normed, mean, inverseDeviation);
  }

  /** No norm: the states as they come. */
  static Norm none() {
    return new None();
  }

  /** See {@link #none}. */
  final class None implements Norm {

    private PassContext context;

    private None() {}

    @Override
    public void attach(PassContext shared) {
      context = shared;
    }

    @Override
    public INDArray forward(INDArray x) {
      return x;
    }

    @Override
    public void backward(INDArray dy, INDArray dx, boolean accumulate) {
      if (accumulate) {
        context.kernels().addScaled(dx, 1, dy, dx);
      } else if (dx != dy) {
        context.kernels().copy(dy, dx);
      }
    }
  }

  /** See {@link #rms}. */
  final class Rms implements Norm {

    private final String name;
    private final float epsilon;
    private final WorkingArray normed;
    private final WorkingArray inverseRms;
    private PassContext context;
    private INDArray weight;
    private INDArray x;
    private INDArray inverse;

    private Rms(String name, float epsilon, WorkingArray normed, WorkingArray inverseRms) {
      this.name = name;
      this.epsilon = epsilon;
      this.normed = normed;
      this.inverseRms = inverseRms;
    }

    @Override
    public void attach(PassContext shared) {
      context = shared;
      weight = shared.backbone().vector(name + ".weight");
    }

    @Override
    public INDArray forward(INDArray input) {
      x = input;
      INDArray y = context.array(normed, x.rows());
      inverse = context.array(inverseRms, x.rows());
      context.kernels().rmsNorm(x, weight, epsilon, y, inverse);
      return y;
    }

    /** {@code dx} must not be {@code dy}. */
    @Override
    public void backward(INDArray dy, INDArray dx, boolean accumulate) {
      if (!accumulate) {
        context.kernels().fill(dx, 0);
      }
      context.kernels().rmsNormBackward(dy, x, weight, inverse, dx);
    }
  }

  /** See {@link #layer}. */
  final class Layer implements Norm {

    private final String name;
    private final float epsilon;
    private final WorkingArray normed;
    private final WorkingArray mean;
    private final WorkingArray inverseDeviation;
    private PassContext context;
    private INDArray weight;
    private INDArray bias;
    private INDArray x;
    private INDArray means;
    private INDArray inverse;

    private Layer(
        String name,
        float epsilon,
        WorkingArray normed,
        WorkingArray mean,
        WorkingArray inverseDeviation) {
      this.name = name;
      this.epsilon = epsilon;
      this.normed = normed;
      this.mean = mean;
      this.inverseDeviation = inverseDeviation;
    }

    @Override
    public void attach(PassContext shared) {
      context = shared;
      weight = shared.backbone().vector(name + ".weight");
      bias = shared.backbone().vector(name + ".bias");
    }

    @Override
    public INDArray forward(INDArray input) {
      x = input;
      INDArray y = context.array(normed, x.rows());
      means = context.array(mean, x.rows());
      inverse = context.array(inverseDeviation, x.rows());
      context.kernels().layerNorm(x, weight, bias, epsilon, y, means, inverse);
      return y;
    }

    /** {@code dx} may be {@code dy} if it is written. */
    @Override
    public void backward(INDArray dy, INDArray dx, boolean accumulate) {
      Kernels kernels = context.kernels();
      INDArray target = accumulate ? dy : dx;
      kernels.layerNormBackward(dy, x, weight, means, inverse, target);
      if (accumulate) {
        kernels.addScaled(dx, 1, target, dx);
      }
    }
  }
}
