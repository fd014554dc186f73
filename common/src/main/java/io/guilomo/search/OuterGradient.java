package io.guilomo.search;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** How the gradient of the GSVs is computed. */
public enum OuterGradient {
  /** With the implicit term of DARTS (arXiv 1806.09055, eq. 7–8): five passes, four where no argmax moves. */
  SECOND_ORDER,
  /** Without it, at the present weights: two passes. */
  FIRST_ORDER,
  /** What the authors' released code computes; kept to reproduce it. */
  REFERENCE;

  /** Reads {@code second-order}, {@code first-order} or {@code reference}. */
  public static OuterGradient of(String name) {
    return Arrays.stream(values())
        .filter(mode -> mode.toString().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "Cannot use outer gradient "
                        + name
                        + ": must be one of "
                        + Arrays.stream(values()).map(OuterGradient::toString).collect(Collectors.joining(", "))));
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
