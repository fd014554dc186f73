package io.guilomo.network;

import io.guilomo.model.LinearModule;

/** Names of the graph's layers and of the parameters in them. */
final class PartNames {

  static final String SELECTION = "selection";
  static final String EMBEDDING = "embedding";
  static final String HEAD = "head";

  private PartNames() {}

  static String block(int layer) {
    return "block-" + layer;
  }

  /** DL4J splits names at underscores, so there is none in ours. */
  static String prefix(LinearModule module) {
    return module.layer() + "." + module.name().replace('_', '-') + ".";
  }
}
