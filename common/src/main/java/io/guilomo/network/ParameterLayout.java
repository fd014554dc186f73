package io.guilomo.network;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Where the named parameters of a part lie in its stretch of the flat vector. Row-major, one behind
 * the other.
 */
final class ParameterLayout {

  /**
   * @param offset first element, from the part's begin
   * @param shape {@code [n]} or {@code [rows, columns]}
   */
  record Slice(String name, long offset, long[] shape, Initialisation initialisation) {

    long length() {
      long length = 1;
      for (long size : shape) {
        length *= size;
      }
      return length;
    }
  }

  static final ParameterLayout EMPTY = new ParameterLayout();

  private final Map<String, Slice> slices = new LinkedHashMap<>();
  private long size;

  /** Appends a parameter and returns its offset. */
  long add(String name, Initialisation initialisation, long... shape) {
    Slice slice = new Slice(name, size, shape, initialisation);
    if (slices.put(name, slice) != null) {
      throw new IllegalArgumentException("Cannot add parameter " + name + " twice");
    }
    size += slice.length();
    return slice.offset();
  }

  long size() {
    return size;
  }

  List<Slice> slices() {
    return new ArrayList<>(slices.values());
  }

  Slice slice(String name) {
    Slice slice = slices.get(name);
    if (slice == null) {
      throw new IllegalArgumentException(
          "Cannot find parameter " + name + " among " + slices.keySet());
    }
    return slice;
  }
}
