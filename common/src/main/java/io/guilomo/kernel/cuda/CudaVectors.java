package io.guilomo.kernel.cuda;

import io.guilomo.kernel.AdamW;
import io.guilomo.kernel.FlatVectorKernels;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Arithmetic on flat vectors. */
record CudaVectors(CudaCard card) implements FlatVectorKernels {

  /** Blocks that stride over a vector, on any card: sums must not depend on it. */
  private static final int BLOCKS = 1024;

  private static final int THREADS = 256;

  @Override
  public void adamW(
      AdamW settings,
      double learningRate,
      long step,
      INDArray weights,
      INDArray gradient,
      INDArray firstMoment,
      INDArray secondMoment,
      INDArray target,
      boolean advance) {
    synchronized (card.stream()) {
      card.launch("vectors", "adamw")
          .vector(weights, gradient, firstMoment, secondMoment, target)
          .address(weights.length())
          .real((float) settings.beta1())
          .real((float) (1 - settings.beta1()))
          .real((float) settings.beta2())
          .real((float) (1 - settings.beta2()))
          .real((float) settings.epsilon())
          .real((float) (1 - learningRate * settings.weightDecay()))
          .real((float) (learningRate / (1 - Math.pow(settings.beta1(), step))))
          .real((float) (1 / Math.sqrt(1 - Math.pow(settings.beta2(), step))))
          .flag(advance)
          .elements(weights.length(), BLOCKS);
    }
  }

  @Override
  public void addScaled(INDArray x, double factor, INDArray y, INDArray target) {
    synchronized (card.stream()) {
      card.launch("vectors", "add_scaled")
          .vector(x)
          .real((float) factor)
          .vector(y, target)
          .address(x.length())
          .elements(x.length(), BLOCKS);
    }
  }

  @Override
  public void multiply(INDArray x, INDArray y, INDArray target) {
    synchronized (card.stream()) {
      card.launch("vectors", "multiply")
          .vector(x, y, target)
          .address(x.length())
          .elements(x.length(), BLOCKS);
    }
  }

  @Override
  public void scale(INDArray x, double factor) {
    synchronized (card.stream()) {
      card.launch("vectors", "scale")
          .vector(x)
          .real((float) factor)
          .address(x.length())
          .elements(x.length(), BLOCKS);
    }
  }

  @Override
  public double norm(INDArray x) {
    double[] sum = new double[1];
    synchronized (card.stream()) {
      card.stream().read(squares(x), sum, 1);
    }
    return Math.sqrt(sum[0]);
  }

  /** Queues the sum of squares; it is at the address that is returned when the stream is there. */
  private long squares(INDArray x) {
    int blocks = (int) Math.min(BLOCKS, (x.length() + THREADS - 1) / THREADS);
    long partial = card.scratch().of(DeviceScratch.Use.PARTIAL_SUMS, (BLOCKS + 1L) * Double.BYTES);
    long result = partial + BLOCKS * (long) Double.BYTES;
    card.launch("vectors", "squares")
        .vector(x)
        .address(x.length(), partial)
        .elements(x.length(), BLOCKS);
    card.launch("vectors", "total").address(partial).integer(blocks).address(result).blockPerRow(1);
    return result;
  }
}
