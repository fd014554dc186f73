package io.guilomo.model;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** Constants of enumerations as configurations and files write them. */
public final class ConstantName {

  private ConstantName() {}

  /** {@code MULTIPLE_CHOICE} as {@code multiple-choice}. */
  public static String of(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** The constant whose {@code toString} is the name. */
  public static <E extends Enum<E>> Optional<E> find(Class<E> type, String name) {
    return Arrays.stream(type.getEnumConstants())
        .filter(constant -> constant.toString().equals(name))
        .findFirst();
  }
}
