package io.guilomo.kernel.vector;

import static io.guilomo.kernel.vector.VectorMemory.matrix;
import static io.guilomo.kernel.vector.VectorMemory.vector;

import io.guilomo.kernel.Activation;
import io.guilomo.kernel.AdamW;
import io.guilomo.kernel.AttentionShape;
import io.guilomo.kernel.CheckedKernels;
import io.guilomo.kernel.DropoutMask;
import io.guilomo.kernel.ExpertChoice;
import io.guilomo.kernel.HostChoice;
import io.guilomo.kernel.HostExperts;
import io.guilomo.kernel.KernelSelection;
import io.guilomo.kernel.KernelThreads;
import java.lang.ref.Reference;
import java.util.function.IntConsumer;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The CPU's operations; arguments are checked by {@link CheckedKernels}. */
class VectorOperations extends QuantizedOperations implements HostExperts {
  private final ThreadLocal<Accuracy> accuracy = ThreadLocal.withInitial(() -> Accuracy.EXACT);

  VectorOperations() {
    VectorCompilation.direct();
    Blas.use(ProductLibraries.of(KernelSelection.products()));
  }

  @Override
  public String productLibrary() {
    return Blas.library().name();
  }

  @Override
  public boolean splitsBatches() {
    return true;
  }

  @Override
  public void accuracy(Accuracy ofThread) {
    accuracy.set(ofThread);
  }

  /** Replicas multiply as accurately as the calling thread. */
  @Override
  public void runConcurrently(int replicas, IntConsumer body) {
    Accuracy ofCaller = accuracy.get();
    KernelThreads.runConcurrently(
        replicas,
        replica -> {
          Accuracy before = accuracy.get();
          accuracy.set(ofCaller);
          try {
            body.accept(replica);
          } finally {
            accuracy.set(before);
          }
        });
  }

  @Override
  public void product(
      INDArray a,
      boolean transposeA,
      INDArray b,
      boolean transposeB,
      INDArray c,
      boolean accumulate) {
    VectorMemory left = VectorMemory.addressed(a);
    VectorMemory result = VectorMemory.addressed(c);
    if (NarrowMemory.holds(b)) {
      NarrowMemory right = NarrowMemory.matrix(b);
      boolean exact = accuracy.get() != Accuracy.ROUNDED;
      NarrowProducts.product(left, transposeA, right, transposeB, result, accumulate, exact);
    } else {
      VectorMemory right = VectorMemory.addressed(b);
      VectorProducts.product(left, transposeA, right, transposeB, result, accumulate);
    }
    Reference.reachabilityFence(a);
    Reference.reachabilityFence(b);
    Reference.reachabilityFence(c);
  }

  @Override
  public void gatherRows(INDArray table, int[] rows, INDArray result, boolean accumulate) {
    if (NarrowMemory.holds(table)) {
      VectorRows.gather(NarrowMemory.matrix(table), rows, matrix(result), accumulate);
    } else {
      VectorRows.gather(VectorMemory.addressed(table), rows, matrix(result), accumulate);
    }
  }

  @Override
  public void scatterAddRows(INDArray source, int[] rows, INDArray result) {
    VectorRows.scatterAdd(matrix(source), rows, matrix(result));
  }

  @Override
  public void scatterRows(INDArray source, int[] rows, INDArray result) {
    VectorRows.scatter(matrix(source), rows, VectorMemory.addressed(result));
  }

  @Override
  public void copy(INDArray source, INDArray target) {
    if (source.rank() == 2 && target.rank() == 2) {
      VectorRows.copy(matrix(source), matrix(target));
    } else {
      VectorSteps.copy(vector(source), vector(target));
    }
  }

  @Override
  public void addBias(INDArray y, INDArray bias) {
    VectorRows.addBias(matrix(y), vector(bias));
  }

  @Override
  public void meanPool(INDArray x, int[] starts, INDArray result) {
    VectorRows.meanPool(matrix(x), starts, matrix(result));
  }

  @Override
  public void meanPoolBackward(INDArray gradient, int[] starts, INDArray result) {
    VectorRows.meanPoolBackward(matrix(gradient), starts, matrix(result));
  }

  @Override
  public void rmsNorm(INDArray x, INDArray weight, float epsilon, INDArray y, INDArray inverseRms) {
    VectorNorms.rms(matrix(x), vector(weight), epsilon, matrix(y), vector(inverseRms));
  }

  @Override
  public void rmsNormBackward(
      INDArray dy, INDArray x, INDArray weight, INDArray inverseRms, INDArray dx) {
    VectorNorms.rmsBackward(matrix(dy), matrix(x), vector(weight), vector(inverseRms), matrix(dx));
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
    VectorNorms.layer(
        matrix(x),
        vector(weight),
        vector(bias),
        epsilon,
        matrix(y),
        vector(mean),
        vector(inverseDeviation));
  }

  @Override
  public void layerNormBackward(
      INDArray dy,
      INDArray x,
      INDArray weight,
      INDArray mean,
      INDArray inverseDeviation,
      INDArray dx) {
    VectorNorms.layerBackward(
        matrix(dy), matrix(x), vector(weight), vector(mean), vector(inverseDeviation), matrix(dx));
  }

  @Override
  public void activate(Activation activation, INDArray x, INDArray y) {
    VectorActivations.activate(activation, matrix(x), matrix(y));
  }

  @Override
  public void activateBackward(Activation activation, INDArray dy, INDArray x, INDArray dx) {
    VectorActivations.activateBackward(activation, matrix(dy), matrix(x), matrix(dx));
  }

  @Override
  public void gated(Activation activation, INDArray gateUp, INDArray y) {
    VectorActivations.gated(activation, matrix(gateUp), matrix(y));
  }

  @Override
  public void gatedBackward(Activation activation, INDArray dy, INDArray gateUp, INDArray dGateUp) {
    VectorActivations.gatedBackward(activation, matrix(dy), matrix(gateUp), matrix(dGateUp));
  }

  @Override
  public void softcap(INDArray x, float cap) {
    VectorSoftcap.cap(matrix(x), cap);
  }

  @Override
  public void softcapBackward(INDArray dy, INDArray y, float cap) {
    VectorSoftcap.backward(matrix(dy), matrix(y), cap);
  }

  @Override
  public void dropout(INDArray x, DropoutMask mask, INDArray y) {
    VectorActivations.dropout(matrix(x), mask, matrix(y), false);
  }

  @Override
  public void dropoutBackward(INDArray dy, DropoutMask mask, INDArray dx) {
    VectorActivations.dropout(matrix(dy), mask, matrix(dx), true);
  }

  @Override
  public void rotate(
      INDArray x, int[] positions, int heads, INDArray cosine, INDArray sine, boolean backward) {
    VectorRotation.rotate(matrix(x), positions, heads, matrix(cosine), matrix(sine), backward);
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
    new VectorAttention(shape, starts, matrix(query), matrix(key), matrix(value), vector(state))
        .forward(matrix(result));
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
    new VectorCachedAttention(
            shape,
            starts,
            firstKeys,
            lengths,
            matrix(query),
            VectorMemory.addressed(keys),
            VectorMemory.addressed(values))
        .forward(matrix(result));
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
    new VectorAttention(shape, starts, matrix(query), matrix(key), matrix(value), vector(state))
        .backward(matrix(dResult), matrix(dQuery), matrix(dKey), matrix(dValue));
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
    put(
        statistics,
        VectorRouting.route(
            matrix(logits),
            mask == null ? null : vector(mask),
            topK,
            replay,
            HostChoice.experts(choice),
            matrix(probabilities),
            matrix(weights)));
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
    VectorRouting.backward(
        matrix(dWeights),
        dProbabilities == null ? null : vector(dProbabilities),
        topK,
        HostChoice.experts(choice),
        matrix(probabilities),
        matrix(weights),
        matrix(dLogits));
  }

  @Override
  public void scaleExperts(
      INDArray h, INDArray weights, INDArray coefficients, int[] firstColumn, INDArray z) {
    new VectorExperts(matrix(weights), vector(coefficients), firstColumn)
        .scale(matrix(h), matrix(z));
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
    VectorMemory gradient = dCoefficients == null ? null : vector(dCoefficients);
    new VectorExperts(matrix(weights), vector(coefficients), firstColumn)
        .backward(matrix(dz), matrix(h), restoreZ, matrix(dWeights), gradient);
  }

  @Override
  public void columnSums(INDArray x, INDArray result) {
    VectorRows.columnSums(matrix(x), vector(result));
  }

  @Override
  public void crossEntropy(
      INDArray logits,
      int[] labels,
      float scale,
      boolean gradient,
      INDArray losses,
      INDArray totals) {
    VectorMemory memory = matrix(logits);
    long hits = gradient ? 0 : VectorLoss.hits(memory, labels);
    add(totals, VectorLoss.crossEntropy(memory, labels, scale, gradient, vector(losses)), hits);
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
    VectorSteps.adamW(
        settings,
        learningRate,
        step,
        vector(weights),
        vector(gradient),
        vector(firstMoment),
        vector(secondMoment),
        vector(target),
        advance);
  }

  @Override
  public void addScaled(INDArray x, double factor, INDArray y, INDArray target) {
    VectorSteps.addScaled(vector(x), (float) factor, vector(y), vector(target));
  }

  @Override
  public void multiply(INDArray x, INDArray y, INDArray target) {
    VectorSteps.multiply(vector(x), vector(y), vector(target));
  }

  @Override
  public void scale(INDArray x, double factor) {
    VectorSteps.scale(vector(x), (float) factor);
  }

  @Override
  public double norm(INDArray x) {
    return VectorSteps.norm(vector(x));
  }
}
