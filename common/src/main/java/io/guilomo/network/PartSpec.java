package io.guilomo.network;

import io.guilomo.model.LinearModule;
import io.guilomo.network.moe.Mixture;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * What one part of a network is built from.
 *
 * @param layer block number; −1 for other parts
 * @param mixture the experts on the modules; shared by the parts of one replica
 */
public record PartSpec(Kind kind, NetworkDefinition network, int layer, Mixture mixture) {

  public enum Kind {
    SELECTION,
    THRESHOLDS,
    EMBEDDING,
    BLOCK,
    HEAD
  }

  /**
   * Specifications of all parts, in the order in which a pass runs them and their parameters follow
   * each other.
   */
  static List<PartSpec> all(NetworkDefinition network) {
    Mixture mixture = new Mixture(network);
    List<PartSpec> all = new ArrayList<>();
    if (mixture.selection() != null) {
      all.add(new PartSpec(Kind.SELECTION, network, -1, mixture));
    }
    if (mixture.thresholds() != null) {
      all.add(new PartSpec(Kind.THRESHOLDS, network, -1, mixture));
    }
    all.add(new PartSpec(Kind.EMBEDDING, network, -1, mixture));
    for (int i = 0; i < network.config().layers(); i++) {
      all.add(new PartSpec(Kind.BLOCK, network, i, mixture));
    }
    all.add(new PartSpec(Kind.HEAD, network, -1, mixture));
    return all;
  }

  /** The part, with its layout but not yet its backbone. */
  Part build() {
    return switch (kind) {
      case SELECTION -> mixture.selection();
      case THRESHOLDS -> mixture.thresholds();
      case EMBEDDING -> config().embedding();
      case BLOCK -> config().block(this);
      case HEAD ->
          network.classes() > 0 ? new ClassificationHead(this) : config().languageModelHead();
    };
  }

  /** The block's linear modules of these names. */
  public List<LinearModule> modules(String... names) {
    return Stream.of(names).map(name -> mixture.module(layer, name)).toList();
  }

  /** Shape of the backbone. */
  public BackboneConfig config() {
    return network.config();
  }

  int classes() {
    return network.classes();
  }
}
