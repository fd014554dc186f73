package io.guilomo.kernel.cuda;

import io.guilomo.kernel.AdamW;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The loss, and arithmetic on flat vectors. */
final class CudaSteps {
  /** Blocks that stride over a vector, on any card: sums must not depend on it. */
  private static final int BLOCKS = 1024;

  private static final int THREADS = 256;

  private final KernelLaunch launch;
  private final DeviceIndices indices;
  private final DeviceScratch scratch;

  CudaSteps(KernelLaunch launch, DeviceIndices indices, DeviceScratch scratch) {
    this.launch = launch;
    this.indices = indices;
    this.scratch = scratch;
  }

  void fill(INDArray target, double value) {
    long length = target.length();
    if (target.dataType() == DataType.DOUBLE) {
      launch.of("vectors", "fill64").vector(target).address(length).real64(value);
    } else {
      String kernel = target.dataType() == DataType.BFLOAT16 ? "fill_bf16" : "fill";
      launch.of("vectors", kernel).vector(target).address(length).real((float) value);
    }
    launch.elements(length, BLOCKS);
  }

  /** Rounds floats to bfloat16. */
  void narrow(long source, int count, long target) {
    launch
        .of("vectors", "narrow")
        .address(source)
        .address(count)
        .address(target)
        .elements(count, BLOCKS);
  }

  void crossEntropy(
      INDArray logits,
      int[] labels,
      float scale,
      boolean gradient,
      INDArray losses,
      INDArray totals) {
    int rows = labels.length;
    long hits = gradient ? 0 : scratch.of(DeviceScratch.Use.HITS, (long) rows * Integer.BYTES);
    long at = indices.of(labels);
    launch
        .of("loss", "cross_entropy")
        .matrix(logits)
        .integer((int) logits.size(1))
        .address(at)
        .real(scale)
        .flag(gradient)
        .vector(losses)
        .address(hits)
        .blockPerRow(rows);
    launch
        .of("loss", "loss_totals")
        .vector(losses)
        .address(hits)
        .integer(rows)
        .vector(totals)
        .blockPerRow(1);
  }

  void adamW(
      AdamW settings,
      double learningRate,
      long step,
      INDArray weights,
      INDArray gradient,
      INDArray firstMoment,
      INDArray secondMoment,
      INDArray target,
      boolean advance) {
    launch
        .of("vectors", "adamw")
        .vector(weights)
        .vector(gradient)
        .vector(firstMoment)
        .vector(secondMoment)
        .vector(target)
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

  void addScaled(INDArray x, double factor, INDArray y, INDArray target) {
    launch
        .of("vectors", "add_scaled")
        .vector(x)
        .real((float) factor)
        .vector(y)
        .vector(target)
        .address(x.length())
        .elements(x.length(), BLOCKS);
  }

  void multiply(INDArray x, INDArray y, INDArray target) {
    launch
        .of("vectors", "multiply")
        .vector(x)
        .vector(y)
        .vector(target)
        .address(x.length())
        .elements(x.length(), BLOCKS);
  }

  void scale(INDArray x, double factor) {
    launch
        .of("vectors", "scale")
        .vector(x)
        .real((float) factor)
        .address(x.length())
        .elements(x.length(), BLOCKS);
  }

  /** Queues the sum of squares; it is at the address that is returned when the stream is there. */
  long squares(INDArray x) {
    int blocks = (int) Math.min(BLOCKS, (x.length() + THREADS - 1) / THREADS);
    long partial = scratch.of(DeviceScratch.Use.PARTIAL_SUMS, (BLOCKS + 1L) * Double.BYTES);
    long result = partial + BLOCKS * (long) Double.BYTES;
    launch
        .of("vectors", "squares")
        .vector(x)
        .address(x.length())
        .address(partial)
        .elements(x.length(), BLOCKS);
    launch.of("vectors", "total").address(partial).integer(blocks).address(result).blockPerRow(1);
    return result;
  }
}
