package io.guilomo.family;

import io.guilomo.model.LinearModule;
import java.util.ArrayList;
import java.util.List;

/**
 * Shape of a decoder of the LLaMA family.
 *
 * @param headDim features of one attention head
 * @param rope how positions turn into angles
 * @param slidingWindow tokens a position can look back at, itself included; 0 for all
 * @param tiedHead whether the head is the transposed embedding
 */
public record LlamaConfig(
    int hidden,
    int intermediate,
    int layers,
    int heads,
    int keyValueHeads,
    int headDim,
    int vocabulary,
    int maxPositions,
    float epsilon,
    Rope rope,
    int slidingWindow,
    boolean tiedHead)
    implements BackboneConfig {

  /** Modules of a block, in the order of {@link #linearModules()}. */
  public static final List<String> MODULES =
      List.of("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj");

  @Override
  public List<LinearModule> linearModules() {
    List<LinearModule> modules = new ArrayList<>();
    int queryWidth = heads * headDim;
    int keyWidth = keyValueHeads * headDim;
    for (int layer = 0; layer < layers; layer++) {
      modules.add(new LinearModule(layer, "q_proj", hidden, queryWidth));
      modules.add(new LinearModule(layer, "k_proj", hidden, keyWidth));
      modules.add(new LinearModule(layer, "v_proj", hidden, keyWidth));
      modules.add(new LinearModule(layer, "o_proj", queryWidth, hidden));
      modules.add(new LinearModule(layer, "gate_proj", hidden, intermediate));
      modules.add(new LinearModule(layer, "up_proj", hidden, intermediate));
      modules.add(new LinearModule(layer, "down_proj", intermediate, hidden));
    }
    return modules;
  }

  @Override
  public long parameters() {
    long embeddings = (long) vocabulary * hidden;
    long norms = (2L * layers + 1) * hidden;
    return (tiedHead ? 1 : 2) * embeddings + norms + LinearModule.weights(linearModules());
  }
}
