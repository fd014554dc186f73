package io.guilomo.kernel;

import java.util.Collection;
import java.util.List;
import java.util.StringJoiner;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Checks of kernel arguments. Each throws {@link IllegalArgumentException}: a wrong shape is a bug
 * of the caller.
 */
class KernelArguments {

  private static final List<DataType> FLOATS = List.of(DataType.FLOAT);
  private static final List<DataType> DOUBLES = List.of(DataType.DOUBLE);

  private KernelArguments() {}

  static void matrix(String name, INDArray array) {
    frozen(name, array, FLOATS);
  }

  /** A frozen matrix of the device that computes. */
  static void frozen(String name, FrozenMatrix matrix, Device device) {
    if (!matrix.memory().equals(device.memory())) {
      throw new IllegalArgumentException(
          "Cannot use %s, which is in the memory of %s, on %s"
              .formatted(name, matrix.memory(), device.memory()));
    }
  }

  /** A matrix of one of the given types. */
  static void frozen(String name, INDArray array, Collection<DataType> types) {
    type(name, array, types);
    if (array.rank() != 2
        || (array.size(1) > 1 && array.stride(1) != 1)
        || (array.size(0) > 1 && array.stride(0) < array.size(1))) {
      throw refused(name, array, "a row-major matrix with unit column stride");
    }
  }

  static void matrix(String name, INDArray array, long rows, long columns) {
    matrix(name, array);
    if (array.size(0) != rows || array.size(1) != columns) {
      throw refused(name, array, String.format("a matrix [%d, %d]", rows, columns));
    }
  }

  static void sameShape(String name, INDArray array, INDArray other) {
    matrix(name, array, other.size(0), other.size(1));
  }

  /** A vector is any array whose elements are adjacent in row-major order. */
  static void vector(String name, INDArray array) {
    contiguous(name, array, FLOATS);
  }

  /** As {@link #vector(String, INDArray)}, of one of the given types. */
  static void contiguous(String name, INDArray array, Collection<DataType> types) {
    type(name, array, types);
    long stride = 1;
    for (int axis = array.rank() - 1; axis >= 0; axis--) {
      if (array.size(axis) > 1 && array.stride(axis) != stride) {
        throw refused(name, array, "a contiguous vector");
      }
      stride *= array.size(axis);
    }
  }

  static void vector(String name, INDArray array, long length) {
    vector(name, array);
    length(name, array, length);
  }

  /** A vector of 64-bit floats. */
  static void doubles(String name, INDArray array, long length) {
    contiguous(name, array, DOUBLES);
    length(name, array, length);
  }

  private static void length(String name, INDArray array, long length) {
    if (array.length() != length) {
      throw refused(name, array, String.format("a vector of %d", length));
    }
  }

  static void sequences(int[] starts, long tokens) {
    boolean ascending = starts.length > 1 && starts[0] == 0 && starts[starts.length - 1] == tokens;
    for (int i = 1; ascending && i < starts.length; i++) {
      ascending = starts[i] > starts[i - 1];
    }
    if (!ascending) {
      throw bug(
          "Cannot split %d tokens into sequences: starts must rise from 0 to %d", tokens, tokens);
    }
  }

  /** Expert columns rise from 0 to {@code columns}; an expert may have none. */
  private static void experts(int[] firstColumn, long experts, long columns) {
    boolean ascending =
        firstColumn.length == experts + 1
            && firstColumn[0] == 0
            && firstColumn[firstColumn.length - 1] == columns;
    for (int i = 1; ascending && i < firstColumn.length; i++) {
      ascending = firstColumn[i] >= firstColumn[i - 1];
    }
    if (!ascending) {
      throw bug(
          "Cannot split %d columns among %d experts: first columns must rise from 0",
          columns, experts);
    }
  }

  static void indices(String name, int[] indices, long bound) {
    for (int index : indices) {
      if (index < 0 || index >= bound) {
        throw bug("Cannot use %s %d: there are %d", name, index, bound);
      }
    }
  }

  static void size(String name, long actual, long expected) {
    if (actual != expected) {
      throw bug("Cannot use %d %s: %d are needed", actual, name, expected);
    }
  }

  static void atLeast(String name, long actual, long needed) {
    if (actual < needed) {
      throw bug("Cannot use %d %s: at least %d are needed", actual, name, needed);
    }
  }

  /** Vectors of guided selection, one after another. */
  static void selections(int[] starts, int[] kinds, long entries) {
    sequences(starts, entries);
    size("kinds of vectors", kinds.length, starts.length - 1L);
  }

  static void routing(INDArray logits, int topK, ExpertChoice choice, boolean chosen) {
    if (topK < 1 || topK > logits.size(1)) {
      throw bug("Cannot choose %d of %d experts", topK, logits.size(1));
    }
    size("choices", choice.length(), logits.size(0) * topK);
    if (chosen && choice instanceof HostChoice) {
      indices("expert", HostChoice.experts(choice), logits.size(1));
    }
  }

  static void expertInputs(INDArray h, INDArray weights, INDArray coefficients, int[] firstColumn) {
    matrix("h", h);
    matrix("weights", weights, h.size(0), weights.size(1));
    vector("coefficients", coefficients, h.size(1));
    experts(firstColumn, weights.size(1), h.size(1));
  }

  /** Heads that side by side make up a row, and how many features of each are rotated. */
  static void rotated(long columns, int heads, long rotated) {
    if (columns % heads != 0 || rotated > columns / heads) {
      throw bug("Cannot rotate %d features of each of %d heads in %d", rotated, heads, columns);
    }
  }

  static void cap(float cap) {
    if (!(cap > 0 && cap < Float.POSITIVE_INFINITY)) {
      throw bug("Cannot cap at %s: it must be positive", cap);
    }
  }

  static void attentionInputs(
      AttentionShape shape, int[] starts, INDArray query, INDArray key, INDArray value) {
    matrix("query", query);
    size("query features", query.size(1), (long) shape.heads() * shape.headDim());
    matrix("key", key, query.size(0), (long) shape.keyValueHeads() * shape.headDim());
    matrix("value", value, query.size(0), (long) shape.keyValueHeads() * shape.headDim());
    sequences(starts, query.size(0));
  }

  /** What attention saves for its backward pass. */
  static void state(INDArray state, long needed) {
    vector("state", state);
    if (state.length() < needed) {
      throw bug("Cannot keep %d floats of attention in a vector of %d", needed, state.length());
    }
  }

  static void cachedAttentionInputs(
      AttentionShape shape,
      int[] starts,
      int[] firstKeys,
      int[] lengths,
      INDArray query,
      INDArray keys,
      INDArray values) {
    if (!shape.causal()) {
      throw new IllegalArgumentException(
          "Cannot keep keys and values for attention that is not causal");
    }
    matrix("query", query);
    size("query features", query.size(1), (long) shape.heads() * shape.headDim());
    matrix("keys", keys);
    size("key features", keys.size(1), (long) shape.keyValueHeads() * shape.headDim());
    matrix("values", values, keys.size(0), keys.size(1));
    sequences(starts, query.size(0));
    size("first keys", firstKeys.length, starts.length - 1L);
    size("lengths", lengths.length, starts.length - 1L);
    for (int i = 0; i < lengths.length; i++) {
      int added = starts[i + 1] - starts[i];
      if (lengths[i] < added || firstKeys[i] < 0 || firstKeys[i] > keys.size(0) - lengths[i]) {
        throw bug(
            "Cannot look from %d tokens at %d keys from row %d of %d",
            added, lengths[i], firstKeys[i], keys.size(0));
      }
    }
  }

  private static void type(String name, INDArray array, Collection<DataType> types) {
    if (types.contains(array.dataType())) {
      return;
    }
    StringJoiner needed = new StringJoiner(" or ");
    for (DataType type : types) {
      needed.add(type == DataType.FLOAT ? "32-bit floats" : type.toString());
    }
    throw refused(name, array, needed.toString());
  }

  private static IllegalArgumentException refused(String name, INDArray array, String needed) {
    StringBuilder shape = new StringBuilder();
    for (int axis = 0; axis < array.rank(); axis++) {
      shape
          .append(axis == 0 ? "" : ", ")
          .append(array.size(axis))
          .append('/')
          .append(array.stride(axis));
    }
    return bug(
        "Cannot use %s, %s with sizes/strides [%s], as %s", name, array.dataType(), shape, needed);
  }

  private static IllegalArgumentException bug(String format, Object... arguments) {
    return new IllegalArgumentException(String.format(format, arguments));
  }
}
