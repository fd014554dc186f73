package io.guilomo.network;

import io.guilomo.config.ModelConfig.Pooling;
import io.guilomo.family.BackboneConfig;
import io.guilomo.family.LlamaConfig;
import java.util.ArrayList;
import java.util.List;

/**
 * What one part of a network is built from.
 *
 * @param layer block number; −1 for other parts
 * @param modules the modules with experts of this block; of all blocks for the selection
 */
record PartSpec(Kind kind, NetworkDefinition network, int layer, List<ModuleExperts> modules) {

  enum Kind {
    SELECTION,
    EMBEDDING,
    BLOCK,
    HEAD
  }

  /**
   * Of all parts, in the order in which a pass runs them and their parameters follow each other.
   */
  static List<PartSpec> all(NetworkDefinition network) {
    List<PartSpec> all = new ArrayList<>();
    if (network.stage() == Stage.SEARCH) {
      all.add(new PartSpec(Kind.SELECTION, network, -1, network.modules()));
    }
    all.add(new PartSpec(Kind.EMBEDDING, network, -1, List.of()));
    for (int i = 0; i < network.config().layers(); i++) {
      int layer = i;
      all.add(
          new PartSpec(
              Kind.BLOCK,
              network,
              layer,
              network.modules().stream().filter(m -> m.module().layer() == layer).toList()));
    }
    all.add(new PartSpec(Kind.HEAD, network, -1, List.of()));
    return all;
  }

  /** The part, with its layout but not yet its backbone. */
  Part build() {
    return switch (kind) {
      case SELECTION -> new Selection(this);
      case EMBEDDING -> new Embedding();
      case BLOCK ->
          config() instanceof LlamaConfig ? new DecoderBlock(this) : new EncoderBlock(this);
      case HEAD -> network.classes() > 0 ? new ClassificationHead(this) : new CausalHead();
    };
  }

  BackboneConfig config() {
    return network.config();
  }

  Stage stage() {
    return network.stage();
  }

  double dropout() {
    return network.dropout();
  }

  int classes() {
    return network.classes();
  }

  Pooling pooling() {
    return network.pooling();
  }
}
