package io.guilomo.network;

/**
 * How many trainable parameters a network has, by its definition alone: nothing is loaded or
 * allocated.
 *
 * @param gsvs outer variables {@code a}; 0 outside the search stage
 * @param weights inner variables {@code w}
 */
public record ParameterCount(long gsvs, long weights) {

  /** Parameters of the network that {@link LoraMoeNetwork#create} would make. */
  public static ParameterCount of(NetworkDefinition definition) {
    long gsvs = 0;
    long weights = 0;
    for (PartSpec spec : PartSpec.all(definition)) {
      long size = spec.build().parameters().size();
      if (spec.kind() == PartSpec.Kind.SELECTION) {
        gsvs += size;
      } else {
        weights += size;
      }
    }
    return new ParameterCount(gsvs, weights);
  }

  /** Length of the flat vector {@code [a | w]}. */
  public long all() {
    return gsvs + weights;
  }
}
