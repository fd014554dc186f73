package io.guilomo.network;

import java.util.ArrayList;
import java.util.List;

/**
 * The working arrays of a part. They are declared once, when the part is built: passes get them
 * from {@link PassContext#array(WorkingArray)}, and {@link WorkingArrays} sums their sizes.
 */
public final class ArrayDeclarations {

  private final String owner;
  private final String inAnyBlock;
  private final List<WorkingArray> declared = new ArrayList<>();

  /**
   * Declarations of a part that is not computed again, or keeps all that it saves.
   *
   * @param owner name of the part; unique in the network
   */
  public ArrayDeclarations(String owner) {
    this(owner, owner);
  }

  /**
   * @param owner name of the part; unique in the network
   * @param inAnyBlock the same for its like in all blocks, which share what they save where blocks
   *     are computed again
   */
  public ArrayDeclarations(String owner, String inAnyBlock) {
    this.owner = owner;
    this.inAnyBlock = inAnyBlock;
  }

  /** {@code [T, columns]}, saved for the backward pass. */
  public WorkingArray saved(String kind, long columns) {
    return saved(kind, Extent.TOKENS, columns);
  }

  /** Saved for the backward pass, or computed again for it. */
  public WorkingArray saved(String kind, Extent extent, long columns) {
    return add(kind, inAnyBlock + "." + kind, extent, columns);
  }

  /** {@code [T, columns]}, saved for the backward pass even where the rest is computed again. */
  public WorkingArray kept(String kind, long columns) {
    return add(kind, owner + "." + kind, Extent.TOKENS, columns);
  }

  /** {@code [T]}, saved for the backward pass even where the rest is computed again. */
  public WorkingArray keptRow(String kind) {
    return kept(kind, WorkingArray.VECTOR);
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
    return add(new WorkingArray(name, name, name, extent, columns, mostRows));
  }

  /** A vector whose length no batch changes; every part that declares the name overwrites it. */
  public WorkingArray vector(String name, long length) {
    return scratch(name, Extent.FIXED, length);
  }

  private WorkingArray add(String kind, String blockName, Extent extent, long columns) {
    return add(
        new WorkingArray(
            owner + "." + kind, "forward." + kind, blockName, extent, columns, Long.MAX_VALUE));
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
