package io.guilomo.network;

import io.guilomo.model.LinearModule;

/** Names of blocks and of the parameters in them. */
final class PartNames {

  private PartNames() {}

  static String block(int layer) {
    return "block-" + layer;
  }

  /** What the names of a module's parameters begin with; they have hyphens for underscores. */
  static String prefix(LinearModule module) {
    return module.layer() + "." + module.name().replace('_', '-') + ".";
  }
}
