package io.guilomo.kernel.nd4j;

import io.guilomo.kernel.DropoutMask;
import java.util.function.IntUnaryOperator;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.factory.ops.NDBitwise;

/** {@link DropoutMask} as ND4J operations on 64-bit integers that hold its 32-bit words. */
class Nd4jDropout {
  private static final long WORD = 0xffffffffL;

  private Nd4jDropout() {}

  /** {@code kept / (1 − rate)} of every element. */
  static INDArray factors(long rows, long columns, DropoutMask mask) {
    INDArray words =
        keys(mask::rowKey, rows)
            .reshape(rows, 1)
            .add(keys(mask::columnKey, columns).reshape(1, columns));
    NDBitwise bitwise = Nd4j.bitwise();
    INDArray word = word(WORD);
    words = bitwise.and(words, word);
    words = bitwise.xor(words, bitwise.rightShift(words, word(DropoutMask.SHIFT_1)));
    words = bitwise.and(words.mul(DropoutMask.MULTIPLIER_1), word);
    words = bitwise.xor(words, bitwise.rightShift(words, word(DropoutMask.SHIFT_2)));
    words = bitwise.and(words.mul(DropoutMask.MULTIPLIER_2), word);
    words = bitwise.xor(words, bitwise.rightShift(words, word(DropoutMask.SHIFT_3)));
    return words.gte(mask.threshold()).castTo(DataType.FLOAT).muli(mask.factor());
  }

  private static INDArray keys(IntUnaryOperator key, long count) {
    long[] keys = new long[(int) count];
    for (int i = 0; i < keys.length; i++) {
      keys[i] = key.applyAsInt(i) & WORD;
    }
    return Nd4j.createFromArray(keys);
  }

  private static INDArray word(long value) {
    return Nd4j.scalar(DataType.LONG, value);
  }
}
