package io.guilomo.network;

import io.guilomo.model.LinearModule;

/** Names of blocks and of the parameters in them. */
public final class PartNames {

  private PartNames() {}

  public static String block(int layer) {
    return "block-" + layer;
  }

  /** What the names of a module's parameters begin with; they have hyphens for underscores. */
  public static String prefix(LinearModule module) {
    return module.layer() + "." + module.name().replace('_', '-') + ".";
  }
}
