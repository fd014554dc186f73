package io.guilomo.kernel.nd4j;

import static io.guilomo.kernel.nd4j.Nd4jOperations.assignVector;
import static io.guilomo.kernel.nd4j.Nd4jOperations.columns;
import static io.guilomo.kernel.nd4j.Nd4jOperations.row;

import io.guilomo.kernel.ExpertChoice;
import io.guilomo.kernel.ExpertKernels;
import io.guilomo.kernel.HostChoice;
import io.guilomo.kernel.HostExperts;
import io.guilomo.kernel.HostOperations;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.impl.transforms.custom.SoftMax;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.BooleanIndexing;
import org.nd4j.linalg.indexing.conditions.Conditions;

/** Routing and scaling of experts. */
final class Nd4jExperts implements HostExperts {

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
    INDArray softmax = mask == null ? logits.dup('c') : logits.add(row(mask)).dup('c');
    Nd4j.exec(new SoftMax(softmax, softmax, 1));
    if (!replay) {
      choose(softmax, topK, HostChoice.experts(choice));
    }
    INDArray chosen = chosen(choice, topK, logits.size(1));
    INDArray kept = softmax.mul(chosen);
    probabilities.assign(softmax);
    weights.assign(kept.divi(kept.sum(true, 1)));
    HostOperations.put(statistics, Nd4j.concat(0, sums(chosen), sums(softmax)).toDoubleVector());
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
    INDArray chosen = chosen(choice, topK, weights.size(1));
    INDArray sum = probabilities.mul(chosen).sum(true, 1);
    INDArray gradient = dWeights.sub(dWeights.mul(weights).sum(true, 1)).divi(sum).muli(chosen);
    if (dProbabilities != null) {
      gradient = gradient.add(row(dProbabilities));
    }
    dLogits.assign(gradient.sub(gradient.mul(probabilities).sum(true, 1)).muli(probabilities));
  }

  @Override
  public void scaleExperts(
      INDArray h, INDArray weights, INDArray coefficients, int[] firstColumn, INDArray z) {
    z.assign(h.mul(perColumn(weights, firstColumn)).muli(row(coefficients)));
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
    INDArray weight = perColumn(weights, firstColumn);
    INDArray product = dz.mul(h);
    if (dCoefficients != null) {
      assignVector(product.mul(weight).castTo(DataType.DOUBLE).sum(true, 0), dCoefficients);
    }
    product.muli(row(coefficients));
    dWeights.assign(0);
    for (int e = 0; e + 1 < firstColumn.length; e++) {
      if (firstColumn[e] < firstColumn[e + 1]) {
        columns(dWeights, e, e + 1)
            .assign(columns(product, firstColumn[e], firstColumn[e + 1]).sum(true, 1));
      }
    }
    INDArray factor = weight.muli(row(coefficients));
    dz.muli(factor);
    if (restoreZ) {
      h.muli(factor);
    }
  }

  /** The weight of each column's expert, {@code [T, R]}. */
  private static INDArray perColumn(INDArray weights, int[] firstColumn) {
    int[] expert = ExpertKernels.expertOfColumn(firstColumn);
    return Nd4j.pullRows(weights.dup('c'), 0, expert, 'c');
  }

  static INDArray oneHot(int[] indices, long classes) {
    INDArray wanted =
        Nd4j.createFromArray(indices).castTo(DataType.FLOAT).reshape(indices.length, 1);
    INDArray index = Nd4j.arange(classes).castTo(DataType.FLOAT).reshape(1, classes);
    return wanted.sub(index).eq(0).castTo(DataType.FLOAT);
  }

  private static INDArray sums(INDArray matrix) {
    return Nd4j.toFlattened(matrix.castTo(DataType.DOUBLE).sum(0));
  }

  private static INDArray chosen(ExpertChoice choice, int topK, long experts) {
    INDArray slots =
        oneHot(HostChoice.experts(choice), experts).reshape(choice.length() / topK, topK, experts);
    return slots.sum(1);
  }

  /** Largest first, lowest index first among equals; slot by slot for all tokens. */
  private static void choose(INDArray probabilities, int topK, int[] choice) {
    long tokens = probabilities.size(0);
    long experts = probabilities.size(1);
    INDArray remaining = probabilities.dup('c');
    BooleanIndexing.replaceWhere(remaining, 0, Conditions.isNan());
    INDArray index = Nd4j.arange(experts).castTo(DataType.FLOAT).reshape(1, experts);
    INDArray slots = Nd4j.createUninitialized(DataType.FLOAT, tokens, topK);
    for (int slot = 0; slot < topK; slot++) {
      INDArray smaller = remaining.lt(remaining.max(true, 1)).castTo(DataType.FLOAT);
      INDArray best = smaller.muli(experts).add(index).min(true, 1);
      columns(slots, slot, slot + 1).assign(best);
      INDArray taken = index.sub(best).eq(0).castTo(DataType.FLOAT);
      remaining.subi(taken.muli(2));
    }
    System.arraycopy(slots.reshape(tokens * topK).toIntVector(), 0, choice, 0, choice.length);
  }
}
