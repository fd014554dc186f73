package io.guilomo.network;

import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * How many trainable parameters a network has, by its definition alone: nothing is loaded or
 * allocated.
 *
 * @param gsvs outer variables {@code a}; 0 outside the search stage
 * @param weights inner variables {@code w}
 */
public record ParameterCount(long gsvs, long weights) {

  /** Of the network that {@link LoraMoeNetwork#create} would make. */
  public static ParameterCount of(NetworkDefinition definition) {
    long gsvs =
        definition.stage() == Stage.SEARCH
            ? size(PartSpec.of(definition, PartSpec.Kind.SELECTION, -1))
            : 0;
    long weights =
        Stream.concat(
                IntStream.range(0, definition.config().layers())
                    .mapToObj(layer -> PartSpec.of(definition, PartSpec.Kind.BLOCK, layer)),
                Stream.of(PartSpec.of(definition, PartSpec.Kind.HEAD, -1)))
            .mapToLong(ParameterCount::size)
            .sum();
    return new ParameterCount(gsvs, weights);
  }

  private static long size(PartSpec spec) {
    return spec.build().parameters().size();
  }

  /** Length of the flat vector {@code [a | w]}. */
  public long all() {
    return gsvs + weights;
  }
}
