package io.guilomo.template;

/** A parsed expression. */
@FunctionalInterface
interface Expression {

  /**
   * Its value: null (None), a Boolean, Long, Double, String, List, Map, {@link Undefined}, {@link
   * Attributes} or {@link Callable}.
   */
  Object value(Scope scope);
}
