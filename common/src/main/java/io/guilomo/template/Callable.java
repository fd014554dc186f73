package io.guilomo.template;

import java.util.List;
import java.util.Map;

/** A function or macro. */
@FunctionalInterface
interface Callable {

  Object call(Scope scope, Arguments arguments);

  /**
   * The arguments of a call.
   *
   * @param named in the order in which they are written
   */
  record Arguments(List<Object> positional, Map<String, Object> named) {

    static final Arguments NONE = new Arguments(List.of(), Map.of());

    boolean has(int index, String name) {
      return index < positional.size() || named.containsKey(name);
    }

    /** The argument at a position or with a name; {@code otherwise} if it is not given. */
    Object get(int index, String name, Object otherwise) {
      return index < positional.size()
          ? positional.get(index)
          : named.getOrDefault(name, otherwise);
    }

    Object require(int index, String name) {
      if (!has(index, name)) {
        throw TemplateException.of("argument %s is missing", name);
      }
      return get(index, name, null);
    }

    String text(int index, String name, String otherwise) {
      Object value = get(index, name, otherwise);
      if (value != null && !(value instanceof String)) {
        throw TemplateException.of("argument %s must be a string", name);
      }
      return (String) value;
    }

    long integer(int index, String name, long otherwise) {
      return PythonValues.integer(get(index, name, otherwise));
    }

    boolean flag(int index, String name) {
      return PythonValues.truth(get(index, name, false));
    }

    /** The arguments after the first ones. */
    Arguments after(int count) {
      return new Arguments(
          positional.subList(Math.min(count, positional.size()), positional.size()), named);
    }
  }
}
