package io.guilomo.network;

import java.util.ArrayList;
import java.util.List;

/**
 * The working arrays of a part. They are declared once, when the part is built: passes get them
 * from {@link PassContext#array(WorkingArray)}, and {@link WorkingArrays} sums their sizes.
 */
public final class ArrayDeclarations {

  private final String owner;
  private final List<WorkingArray> declared = new ArrayList<>();

  /**
   * @param owner name of the part; unique in the network
   */
  public ArrayDeclarations(String owner) {
    this.owner = owner;
  }

  /** {@code [T, columns]}, kept for the backward pass. */
  public WorkingArray saved(String kind, long columns) {
    return saved(kind, Extent.TOKENS, columns);
  }

  /** {@code [T]}, kept for the backward pass. */
  public WorkingArray savedRow(String kind) {
    return saved(kind, Extent.TOKENS, WorkingArray.VECTOR);
  }

  /** Kept for the backward pass. */
  public WorkingArray saved(String kind, Extent extent, long columns) {
    return add(
        new WorkingArray(owner + "." + kind, "forward." + kind, extent, columns, Long.MAX_VALUE));
  }

  /** {@code [T, columns]}; every part that declares the name overwrites it. */
  public WorkingArray scratch(String name, long columns) {
    return scratch(name, Extent.TOKENS, columns);
  }

  /** Every part that declares the name overwrites it. */
  public WorkingArray scratch(String name, Extent extent, long columns) {
    return scratch(name, extent, columns, Long.MAX_VALUE);
  }

  /** As {@link #scratch(String, Extent, long)}, of at most {@code mostRows} rows in one call. */
  public WorkingArray scratch(String name, Extent extent, long columns, long mostRows) {
    return add(new WorkingArray(name, name, extent, columns, mostRows));
  }

  /** A vector whose length no batch changes; every part that declares the name overwrites it. */
  public WorkingArray vector(String name, long length) {
    return scratch(name, Extent.FIXED, length);
  }

  private WorkingArray add(WorkingArray array) {
    declared.add(array);
    return array;
  }

  /** In the order of their declaration. */
  public List<WorkingArray> declared() {
    return List.copyOf(declared);
  }
}
