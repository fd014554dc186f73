package io.guilomo.family;

import io.guilomo.model.LinearModule;
import java.util.ArrayList;
import java.util.List;

/** Shape of an encoder of the BERT family: post-norm blocks, absolute positions, exact GELU. */
public record BertConfig(
    int hidden,
    int intermediate,
    int layers,
    int heads,
    int vocabulary,
    int maxPositions,
    int segments,
    float epsilon)
    implements BackboneConfig {

  /** Modules of a block, in the order of {@link #linearModules()}. */
  public static final List<String> MODULES =
      List.of("query", "key", "value", "attention_output", "intermediate", "output");

  @Override
  public List<LinearModule> linearModules() {
    List<LinearModule> modules = new ArrayList<>();
    for (int layer = 0; layer < layers; layer++) {
      modules.add(new LinearModule(layer, "query", hidden, hidden));
      modules.add(new LinearModule(layer, "key", hidden, hidden));
      modules.add(new LinearModule(layer, "value", hidden, hidden));
      modules.add(new LinearModule(layer, "attention_output", hidden, hidden));
      modules.add(new LinearModule(layer, "intermediate", hidden, intermediate));
      modules.add(new LinearModule(layer, "output", intermediate, hidden));
    }
    return modules;
  }

  @Override
  public long parameters() {
    long embeddings = ((long) vocabulary + maxPositions + segments) * hidden;
    long norms = (2L * layers + 1) * 2 * hidden;
    long biases = linearModules().stream().mapToLong(LinearModule::outFeatures).sum();
    return embeddings + norms + biases + LinearModule.weights(linearModules());
  }
}
