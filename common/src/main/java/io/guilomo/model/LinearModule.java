package io.guilomo.model;

import java.io.Serializable;
import java.util.List;

/**
 * One frozen linear layer of a transformer that LoRA experts can be attached to.
 *
 * @param layer block of the transformer, from 0
 * @param name the module's name inside its block, as Hugging Face calls it: {@code q_proj}, {@code
 *     query}, …
 * @param inFeatures columns of the frozen weight
 * @param outFeatures rows of the frozen weight
 */
public record LinearModule(int layer, String name, int inFeatures, int outFeatures)
    implements Serializable {

  /** Elements of the frozen weights of all. */
  public static long weights(List<LinearModule> modules) {
    return modules.stream()
        .mapToLong(module -> (long) module.inFeatures() * module.outFeatures())
        .sum();
  }

  @Override
  public String toString() {
    return "layer " + layer + " " + name;
  }
}
