package io.guilomo.kernel;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class TestCheckedKernels {
  private final Kernels kernels = KernelSelection.named("portable");
  private final INDArray x = Nd4j.create(4, 6);
  private final INDArray y = Nd4j.create(4, 6);
  private final INDArray row = Nd4j.create(6);

  private static void refused(String message, ThrowingCallable call) {
    assertThatThrownBy(call).isInstanceOf(IllegalArgumentException.class).hasMessage(message);
  }

  @Test
  void productsOfUnequalSizes() {
    refused(
        "Cannot multiply [4, 6] by [4, 6]ᵀ into [4, 6]",
        () -> kernels.product(x, false, y, true, x, false));
  }

  @Test
  void typesAndStrides() {
    INDArray doubles = Nd4j.create(DataType.DOUBLE, 4, 6);
    refused(
        "Cannot use y, DOUBLE with sizes/strides [4/6, 6/1], as 32-bit floats",
        () -> kernels.activate(Activation.GELU, x, doubles));
    refused(
        "Cannot use x, FLOAT with sizes/strides [6/1, 4/6], as a row-major matrix with unit column stride",
        () -> kernels.activate(Activation.GELU, x.transpose(), y));
    refused(
        "Cannot use bias, FLOAT with sizes/strides [4/6], as a contiguous vector",
        () -> kernels.addBias(x, x.getColumn(1)));
    refused(
        "Cannot use y, FLOAT with sizes/strides [4/5, 5/1], as a matrix [4, 6]",
        () -> kernels.activate(Activation.GELU, x, Nd4j.create(4, 5)));
    refused(
        "Cannot use bias, FLOAT with sizes/strides [5/1], as a vector of 6",
        () -> kernels.addBias(x, Nd4j.create(5)));
  }

  @Test
  void rowsAndSequences() {
    refused(
        "Cannot use row 4: there are 4",
        () -> kernels.gatherRows(x, new int[] {0, 4}, Nd4j.create(2, 6), false));
    refused(
        "Cannot use row -1: there are 4",
        () -> kernels.scatterAddRows(Nd4j.create(1, 6), new int[] {-1}, x));
    refused(
        "Cannot split 4 tokens into sequences: starts must rise from 0 to 4",
        () -> kernels.meanPool(x, new int[] {0, 3, 3, 4}, Nd4j.create(3, 6)));
    refused(
        "Cannot use row 4: there are 4",
        () -> kernels.scatterRows(Nd4j.create(2, 6), new int[] {4, 1}, x));
    refused(
        "Cannot use position 10: there are 10",
        () ->
            kernels.rotate(
                x, new int[] {8, 9, 10, 0}, 1, Nd4j.create(10, 3), Nd4j.create(10, 3), false));
    refused(
        "Cannot use 3 positions: 4 are needed",
        () ->
            kernels.rotate(
                x, new int[] {0, 1, 2}, 1, Nd4j.create(10, 3), Nd4j.create(10, 3), false));
  }

  @Test
  void rotatedFeaturesAndCaps() {
    refused(
        "Cannot rotate 4 features of each of 2 heads in 6",
        () -> kernels.rotate(x, new int[4], 2, Nd4j.create(10, 2), Nd4j.create(10, 2), false));
    refused(
        "Cannot rotate 2 features of each of 4 heads in 6",
        () -> kernels.rotate(x, new int[4], 4, Nd4j.create(10, 1), Nd4j.create(10, 1), false));
    refused("Cannot cap at 0.0: it must be positive", () -> kernels.softcap(x, 0));
    refused(
        "Cannot cap at NaN: it must be positive", () -> kernels.softcapBackward(x, y, Float.NaN));
    refused(
        "Cannot cap attention scores at -1.0: it must be positive, or 0",
        () -> new AttentionShape(2, 1, 3, 1, true, 0, -1));
    refused(
        "Cannot use an attention window of -1: it must be positive, or 0",
        () -> new AttentionShape(2, 1, 3, 1, true, -1));
  }

  @Test
  void keptKeysAndValues() {
    AttentionShape shape = new AttentionShape(2, 1, 3, 1, true, 0);
    int[] starts = {0, 4};
    INDArray keys = Nd4j.create(9, 3);
    refused(
        "Cannot keep keys and values for attention that is not causal",
        () -> {
          AttentionShape all = new AttentionShape(2, 1, 3, 1, false, 0);
          int[] none = {0};
          kernels.cachedAttention(all, starts, none, new int[] {4}, x, keys, keys, y);
        });
    refused(
        "Cannot look from 4 tokens at 3 keys from row 0 of 9",
        () -> cached(shape, starts, 0, 3, keys));
    refused(
        "Cannot look from 4 tokens at 5 keys from row 5 of 9",
        () -> cached(shape, starts, 5, 5, keys));
    refused(
        "Cannot look from 4 tokens at 5 keys from row -1 of 9",
        () -> cached(shape, starts, -1, 5, keys));
    refused(
        "Cannot use 4 key features: 3 are needed",
        () -> cached(shape, starts, 0, 4, Nd4j.create(9, 4)));
  }

  private void cached(AttentionShape shape, int[] starts, int first, int length, INDArray keys) {
    kernels.cachedAttention(shape, starts, new int[] {first}, new int[] {length}, x, keys, keys, y);
  }

  @Test
  void routingAndExperts() {
    INDArray z = Nd4j.create(4, 6);
    INDArray statistics = Nd4j.create(DataType.DOUBLE, 12);
    ExpertChoice chosen = kernels.choice(4);
    HostChoice.experts(chosen)[2] = 6;
    refused(
        "Cannot choose 7 of 6 experts",
        () -> kernels.route(x, null, 7, false, kernels.choice(28), y, z, statistics));
    refused(
        "Cannot use 3 choices: 4 are needed",
        () -> kernels.route(x, null, 1, false, kernels.choice(3), y, z, statistics));
    refused(
        "Cannot use expert 6: there are 6",
        () -> kernels.route(x, null, 1, true, chosen, y, z, statistics));
    refused(
        "Cannot use statistics, DOUBLE with sizes/strides [11/1], as a vector of 12",
        () -> kernels.route(x, null, 1, false, chosen, y, z, Nd4j.create(DataType.DOUBLE, 11)));
    refused(
        "Cannot split 6 columns among 2 experts: first columns must rise from 0",
        () -> kernels.scaleExperts(x, Nd4j.create(4, 2), row, new int[] {0, 7, 6}, y));
  }

  @Test
  void numbers() {
    refused("Cannot drop out at rate 1.0: it must be in [0, 1)", () -> new DropoutMask(1, 0, 0));
    refused(
        "Cannot use label 6: there are 6",
        () ->
            kernels.crossEntropy(
                x,
                new int[] {0, 1, 6, 2},
                1,
                false,
                Nd4j.create(4),
                Nd4j.create(DataType.DOUBLE, 2)));
    refused(
        "Cannot take step 0 of AdamW: steps count from 1",
        () -> kernels.adamW(new AdamW(0.9, 0.999, 1e-8, 0), 1, 0, row, row, row, row, row, false));
    refused(
        "Cannot keep 32 floats of attention in a vector of 31",
        () ->
            kernels.attention(
                new AttentionShape(2, 1, 3, 1, false, 0),
                new int[] {0, 4},
                x,
                Nd4j.create(4, 3),
                Nd4j.create(4, 3),
                Nd4j.create(31),
                y));
  }

  @Test
  void memory() {
    refused("Cannot compute with INT", () -> kernels.allocate(DataType.INT, 3));
    refused(
        "Cannot use 5 elements to write: at least 6 are needed",
        () -> kernels.write(new float[5], row));
    refused(
        "Cannot use 5 elements to read into: at least 6 are needed",
        () -> kernels.read(row, new float[5]));
    refused(
        "Cannot use source, FLOAT with sizes/strides [6/1], as DOUBLE",
        () -> kernels.read(row, new double[6]));
    refused(
        "Cannot use target, FLOAT with sizes/strides [4/6], as a contiguous vector",
        () -> kernels.fill(x.getColumn(1), 0));
  }

  @Test
  void frozenMatrices() {
    refused(
        "Cannot use b, INT with sizes/strides [6/6, 6/1], as 32-bit floats or BFLOAT16 or HALF",
        () -> kernels.product(x, false, Nd4j.create(DataType.INT, 6, 6), false, y, false));
    refused(
        "Cannot use table, DOUBLE with sizes/strides [6/6, 6/1], as 32-bit floats or BFLOAT16 or"
            + " HALF",
        () -> kernels.gatherRows(Nd4j.create(DataType.DOUBLE, 6, 6), new int[] {0}, row, false));
  }

  @Test
  void frozenMatricesThatBackendsMake() {
    FrozenMatrix elsewhere = RemoteKernels.open().frozen(DataType.FLOAT, 3, 6);
    refused(
        "Cannot use weight, which is in the memory of " + elsewhere.memory() + ", on host",
        () -> kernels.matmul(x, elsewhere, y, false));
    FrozenMatrix frozen = kernels.frozen(DataType.FLOAT, 3, 6);
    refused("Cannot view elements 12 to 19 of 18", () -> frozen.put(12, new float[7], 7));
    refused(
        "Cannot use y, FLOAT with sizes/strides [4/6, 6/1], as a matrix [4, 3]",
        () -> kernels.matmul(x, frozen, y, false));
    refused(
        "Cannot use dy, FLOAT with sizes/strides [4/6, 6/1], as a matrix [4, 3]",
        () -> kernels.matmulBackward(x, frozen, y, false));
    refused(
        "Cannot use row 3: there are 3",
        () -> kernels.gatherRows(frozen, new int[] {0, 1, 2, 3}, y, false));
    refused("Cannot compute with INT", () -> kernels.frozen(DataType.INT, 3, 6));
  }

  @Test
  void vectorsOfGuidedSelection() {
    refused(
        "Cannot use 2 kinds of vectors: 1 are needed",
        () -> kernels.masks(new int[] {0, 6}, new int[2], row, Nd4j.create(6)));
  }
}
