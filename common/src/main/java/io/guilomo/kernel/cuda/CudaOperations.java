package io.guilomo.kernel.cuda;

import io.guilomo.kernel.AdamW;
import io.guilomo.kernel.AttentionShape;
import io.guilomo.kernel.DropoutMask;
import io.guilomo.kernel.ExpertChoice;
import io.guilomo.kernel.Kernels;
import java.util.function.IntConsumer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The operations on one card. All threads of the process that use it share its stream: each
 * operation is queued as a whole, and the card takes them in that order.
 */
final class CudaOperations implements Kernels {
  private static final int WRITTEN_AT_ONCE = 1 << 20;

  private final CudaDevice device;
  private final CudaStream stream;
  private final DeviceArrays arrays;
  private final DeviceScratch scratch;
  private final CudaProducts products;
  private final CudaRows rows;
  private final CudaAttention attention;
  private final CudaExperts experts;
  private final CudaSteps steps;
  private final CudaChoices choices;
  private final ThreadLocal<Accuracy> accuracy = ThreadLocal.withInitial(() -> Accuracy.EXACT);

  CudaOperations(CudaDevice device) {
    this.device = device;
    this.stream = new CudaStream(device);
    this.arrays = new DeviceArrays(stream);
    this.scratch = new DeviceScratch(stream);
    KernelLaunch launch = new KernelLaunch(stream, new KernelModules(device));
    DeviceIndices indices = new DeviceIndices(stream);
    this.products = new CudaProducts(stream, launch, scratch);
    this.rows = new CudaRows(launch, indices, scratch);
    this.attention = new CudaAttention(launch, indices, scratch);
    this.experts = new CudaExperts(launch, indices, scratch, rows);
    this.steps = new CudaSteps(launch, indices, scratch);
    this.choices = new CudaChoices(stream);
  }

  CudaDevice device() {
    return device;
  }

  CudaStream stream() {
    return stream;
  }

  CudaProducts products() {
    return products;
  }

  private boolean exact() {
    return accuracy.get() == Accuracy.EXACT;
  }

  /** A card takes all of a batch at once. */
  @Override
  public boolean splitsBatches() {
    return false;
  }

  @Override
  public void sideBySide(int replicas, IntConsumer body) {
    for (int i = 0; i < replicas; i++) {
      body.accept(i);
    }
  }

  @Override
  public void accuracy(Accuracy next) {
    accuracy.set(next);
  }

  @Override
  public String memory() {
    return "GPU " + device.ordinal();
  }

  @Override
  public INDArray allocate(DataType type, long length) {
    return arrays.allocate(type, length);
  }

  @Override
  public void release(INDArray array) {
    arrays.release(array);
  }

  @Override
  public void write(float[] source, INDArray target) {
    int length = Math.toIntExact(target.length());
    long address = DeviceArrays.address(target);
    if (target.dataType() != DataType.BFLOAT16) {
      stream.write(source, 0, length, address);
      return;
    }
    for (int done = 0; done < length; done += WRITTEN_AT_ONCE) {
      int count = Math.min(WRITTEN_AT_ONCE, length - done);
      synchronized (stream) {
        long staging = scratch.of(DeviceScratch.Use.STAGING, 4L * WRITTEN_AT_ONCE);
        stream.write(source, done, count, staging);
        steps.narrow(staging, count, address + 2L * done);
      }
    }
  }

  @Override
  public void read(INDArray source, float[] target) {
    stream.read(DeviceArrays.address(source), target, Math.toIntExact(source.length()));
  }

  @Override
  public void read(INDArray source, double[] target) {
    stream.read(DeviceArrays.address(source), target, Math.toIntExact(source.length()));
  }

  @Override
  public ExpertChoice choice(int length) {
    return choices.borrow(length);
  }

  @Override
  public void release(ExpertChoice choice) {
    choices.giveBack((CudaChoice) choice);
  }

  @Override
  public void finish() {
    stream.finish();
  }

  @Override
  public long attentionState(AttentionShape shape, int[] starts) {
    return CudaAttention.state(shape, starts);
  }

  @Override
  public void copy(INDArray source, INDArray target) {
    synchronized (stream) {
      if (source.rank() == 2 && target.rank() == 2) {
        rows.copy(source, target);
      } else {
        stream.copy(
            DeviceArrays.address(source),
            DeviceArrays.address(target),
            source.length() * source.dataType().width());
      }
    }
  }

  @Override
  public double norm(INDArray x) {
    double[] sum = new double[1];
    synchronized (stream) {
      stream.read(steps.squares(x), sum, 1);
    }
    return Math.sqrt(sum[0]);
  }

  @Override
  public void product(
      INDArray a,
      boolean transposeA,
      INDArray b,
      boolean transposeB,
      INDArray c,
      boolean accumulate) {
    synchronized (stream) {
      products.product(a, transposeA, b, transposeB, c, accumulate, exact());
    }
  }

  @Override
  public void gatherRows(INDArray table, int[] rows, INDArray result, boolean accumulate) {
    synchronized (stream) {
      this.rows.gather(table, rows, result, accumulate);
    }
  }

  @Override
  public void scatterAddRows(INDArray source, int[] rows, INDArray result) {
    synchronized (stream) {
      this.rows.scatter(source, rows, result, true);
    }
  }

  @Override
  public void scatterRows(INDArray source, int[] rows, INDArray result) {
    synchronized (stream) {
      this.rows.scatter(source, rows, result, false);
    }
  }

  @Override
  public void fill(INDArray target, double value) {
    synchronized (stream) {
      steps.fill(target, value);
    }
  }

  @Override
  public void addBias(INDArray y, INDArray bias) {
    synchronized (stream) {
      rows.addBias(y, bias);
    }
  }

  @Override
  public void meanPool(INDArray x, int[] starts, INDArray result) {
    synchronized (stream) {
      rows.meanPool(x, starts, result);
    }
  }

  @Override
  public void meanPoolBackward(INDArray gradient, int[] starts, INDArray result) {
    synchronized (stream) {
      rows.meanPoolBackward(gradient, starts, result);
    }
  }

  @Override
  public void rmsNorm(INDArray x, INDArray weight, float epsilon, INDArray y, INDArray inverseRms) {
    synchronized (stream) {
      rows.rmsNorm(x, weight, epsilon, y, inverseRms);
    }
  }

  @Override
  public void rmsNormBackward(
      INDArray dy, INDArray x, INDArray weight, INDArray inverseRms, INDArray dx) {
    synchronized (stream) {
      rows.rmsNormBackward(dy, x, weight, inverseRms, dx);
    }
  }

  @Override
  public void layerNorm(
      INDArray x,
      INDArray weight,
      INDArray bias,
      float epsilon,
      INDArray y,
      INDArray mean,
      INDArray inverseDeviation) {
    synchronized (stream) {
      rows.layerNorm(x, weight, bias, epsilon, y, mean, inverseDeviation);
    }
  }

  @Override
  public void layerNormBackward(
      INDArray dy,
      INDArray x,
      INDArray weight,
      INDArray mean,
      INDArray inverseDeviation,
      INDArray dx) {
    synchronized (stream) {
      rows.layerNormBackward(dy, x, weight, mean, inverseDeviation, dx);
    }
  }

  @Override
  public void swiGlu(INDArray gateUp, INDArray y) {
    synchronized (stream) {
      rows.activate("swiglu", gateUp, y);
    }
  }

  @Override
  public void swiGluBackward(INDArray dy, INDArray gateUp, INDArray dGateUp) {
    synchronized (stream) {
      rows.activateBackward("swiglu_backward", dy, gateUp, dGateUp);
    }
  }

  @Override
  public void gelu(INDArray x, INDArray y) {
    synchronized (stream) {
      rows.activate("gelu", x, y);
    }
  }

  @Override
  public void geluBackward(INDArray dy, INDArray x, INDArray dx) {
    synchronized (stream) {
      rows.activateBackward("gelu_backward", dy, x, dx);
    }
  }

  @Override
  public void dropout(INDArray x, DropoutMask mask, INDArray y) {
    synchronized (stream) {
      rows.dropout(x, mask, y, false);
    }
  }

  @Override
  public void dropoutBackward(INDArray dy, DropoutMask mask, INDArray dx) {
    synchronized (stream) {
      rows.dropout(dy, mask, dx, true);
    }
  }

  @Override
  public void rotate(
      INDArray x, int[] positions, int heads, INDArray cosine, INDArray sine, boolean backward) {
    synchronized (stream) {
      rows.rotate(x, positions, heads, cosine, sine, backward);
    }
  }

  @Override
  public void attention(
      AttentionShape shape,
      int[] starts,
      INDArray query,
      INDArray key,
      INDArray value,
      INDArray state,
      INDArray result) {
    synchronized (stream) {
      attention.forward(shape, starts, query, key, value, state, result, exact());
    }
  }

  @Override
  public void cachedAttention(
      AttentionShape shape,
      int[] starts,
      int[] firstKeys,
      int[] lengths,
      INDArray query,
      INDArray keys,
      INDArray values,
      INDArray result) {
    synchronized (stream) {
      attention.cached(shape, starts, firstKeys, lengths, query, keys, values, result);
    }
  }

  @Override
  public void attentionBackward(
      AttentionShape shape,
      int[] starts,
      INDArray dResult,
      INDArray query,
      INDArray key,
      INDArray value,
      INDArray result,
      INDArray state,
      INDArray dQuery,
      INDArray dKey,
      INDArray dValue) {
    synchronized (stream) {
      attention.backward(
          shape, starts, dResult, query, key, value, result, state, dQuery, dKey, dValue, exact());
    }
  }

  @Override
  public void route(
      INDArray logits,
      INDArray mask,
      int topK,
      boolean replay,
      ExpertChoice choice,
      INDArray probabilities,
      INDArray weights,
      INDArray statistics) {
    synchronized (stream) {
      experts.route(
          logits, mask, topK, replay, (CudaChoice) choice, probabilities, weights, statistics);
    }
  }

  @Override
  public void entropy(INDArray probabilities, INDArray result) {
    synchronized (stream) {
      experts.entropy(probabilities, result);
    }
  }

  @Override
  public void routeBackward(
      INDArray dWeights,
      INDArray dProbabilities,
      int topK,
      ExpertChoice choice,
      INDArray probabilities,
      INDArray weights,
      INDArray dLogits) {
    synchronized (stream) {
      experts.routeBackward(
          dWeights, dProbabilities, topK, (CudaChoice) choice, probabilities, weights, dLogits);
    }
  }

  @Override
  public void scaleExperts(
      INDArray h, INDArray weights, INDArray coefficients, int[] firstColumn, INDArray z) {
    synchronized (stream) {
      experts.scale(h, weights, coefficients, firstColumn, z);
    }
  }

  @Override
  public void scaleExpertsBackward(
      INDArray dz,
      INDArray h,
      boolean restoreZ,
      INDArray weights,
      INDArray coefficients,
      int[] firstColumn,
      INDArray dWeights,
      INDArray dCoefficients) {
    synchronized (stream) {
      experts.scaleBackward(
          dz, h, restoreZ, weights, coefficients, firstColumn, dWeights, dCoefficients);
    }
  }

  @Override
  public void columnSums(INDArray x, INDArray result) {
    synchronized (stream) {
      rows.columnSums(x, result);
    }
  }

  @Override
  public void crossEntropy(
      INDArray logits,
      int[] labels,
      float scale,
      boolean gradient,
      INDArray losses,
      INDArray totals) {
    synchronized (stream) {
      steps.crossEntropy(logits, labels, scale, gradient, losses, totals);
    }
  }

  @Override
  public void masks(int[] starts, int[] kinds, INDArray gsvs, INDArray masks) {
    synchronized (stream) {
      experts.masks(starts, kinds, gsvs, masks);
    }
  }

  @Override
  public void masksBackward(
      int[] starts, int[] kinds, INDArray gsvs, INDArray dMasks, INDArray dGsvs) {
    synchronized (stream) {
      experts.masksBackward(starts, kinds, gsvs, dMasks, dGsvs);
    }
  }

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
    synchronized (stream) {
      steps.adamW(
          settings,
          learningRate,
          step,
          weights,
          gradient,
          firstMoment,
          secondMoment,
          target,
          advance);
    }
  }

  @Override
  public void addScaled(INDArray x, double factor, INDArray y, INDArray target) {
    synchronized (stream) {
      steps.addScaled(x, factor, y, target);
    }
  }

  @Override
  public void multiply(INDArray x, INDArray y, INDArray target) {
    synchronized (stream) {
      steps.multiply(x, y, target);
    }
  }

  @Override
  public void scale(INDArray x, double factor) {
    synchronized (stream) {
      steps.scale(x, factor);
    }
  }
}
