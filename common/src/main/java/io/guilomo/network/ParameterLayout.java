package io.guilomo.network;

import io.guilomo.kernel.ArrayViews;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Where the named parameters of a part are in its slice of the flat vector: row-major, one after
 * the other.
 */
public final class ParameterLayout {

  /**
   * @param offset of the first element in the part's slice
   * @param shape {@code [n]} or {@code [rows, columns]}
   */
  public record Slice(String name, long offset, long[] shape, Initialisation initialisation) {

    long length() {
      long length = 1;
      for (long size : shape) {
        length *= size;
      }
      return length;
    }
  }

  public static final ParameterLayout EMPTY = new ParameterLayout();

  private final Map<String, Slice> slices = new LinkedHashMap<>();
  private long size;

  /** Appends a parameter and returns its offset. */
  public long add(String name, Initialisation initialisation, long... shape) {
    Slice slice = new Slice(name, size, shape, initialisation);
    if (slices.put(name, slice) != null) {
      throw new IllegalArgumentException("Cannot add parameter " + name + " twice");
    }
    size += slice.length();
    return slice.offset();
  }

  /**
   * A view of one parameter.
   *
   * @param flat what the layout describes
   */
  public INDArray view(INDArray flat, String name) {
    Slice slice = slice(name);
    return ArrayViews.slice(flat, slice.offset(), slice.shape());
  }

  public long size() {
    return size;
  }

  public List<Slice> slices() {
    return new ArrayList<>(slices.values());
  }

  public Slice slice(String name) {
    Slice slice = slices.get(name);
    if (slice == null) {
      throw new IllegalArgumentException(
          "Cannot find parameter " + name + " among " + slices.keySet());
    }
    return slice;
  }
}
