package io.guilomo.network;

import io.guilomo.kernel.RoundingError;
import java.io.Serializable;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What rounding to 8 bits has lost of the frozen matrices.
 *
 * @param kinds by the name that matrices of all layers share, such as {@code self_attn.q_proj}; in
 *     the order of reading, empty if no matrix was rounded so
 */
public record WeightErrors(Map<String, RoundingError> kinds) implements Serializable {

  public static final WeightErrors NONE = new WeightErrors(Map.of());

  /** Up to the number of a layer, and the ending of weights. */
  private static final String SURROUNDINGS = "^.*?\\.\\d+\\.|\\.weight$";

  public WeightErrors {
    kinds = Collections.unmodifiableMap(new LinkedHashMap<>(kinds));
  }

  /** With a matrix of the given name in the checkpoint. */
  public WeightErrors plus(String name, RoundingError error) {
    Map<String, RoundingError> sums = new LinkedHashMap<>(kinds);
    sums.merge(name.replaceAll(SURROUNDINGS, ""), error, RoundingError::plus);
    return new WeightErrors(sums);
  }

  /** Relative error of all matrices together. */
  public double relative() {
    return kinds.values().stream().reduce(RoundingError.NONE, RoundingError::plus).relative();
  }

  /** One line with the relative Frobenius error of all matrices, and of each kind. */
  public String describe() {
    return kinds.entrySet().stream()
        .map(kind -> kind.getKey() + " " + percent(kind.getValue().relative()))
        .collect(
            Collectors.joining(", ", "int8 weights are off by " + percent(relative()) + " (", ")"));
  }

  private static String percent(double share) {
    return String.format(Locale.ROOT, "%.2f %%", 100 * share);
  }
}
