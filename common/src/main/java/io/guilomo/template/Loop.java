package io.guilomo.template;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A loop.
 *
 * @param targets the variables that an element is assigned to
 * @param filter of elements; null for all
 * @param otherwise runs if there are no elements
 */
record Loop(
    List<String> targets,
    Expression sequence,
    Expression filter,
    Statement body,
    Statement otherwise)
    implements Statement {

  @Override
  public Flow run(Scope scope) {
    List<Object> elements = elements(scope);
    if (elements.isEmpty()) {
      return otherwise.run(scope.inner());
    }
    Scope inner = scope.inner();
    Attributes state = state(elements);
    for (int i = 0; i < elements.size(); i++) {
      scope.budget().step();
      inner.clear();
      assign(targets, elements.get(i), inner);
      move(state, elements, i);
      inner.set("loop", state);
      if (body.run(inner) == Flow.BREAK) {
        break;
      }
    }
    return Flow.NEXT;
  }

  private List<Object> elements(Scope scope) {
    List<Object> all = PythonValues.elements(sequence.value(scope));
    if (filter == null) {
      return all;
    }
    List<Object> elements = new ArrayList<>();
    Scope inner = scope.inner();
    for (Object element : all) {
      scope.budget().step();
      inner.clear();
      assign(targets, element, inner);
      if (PythonValues.truth(filter.value(inner))) {
        elements.add(element);
      }
    }
    return elements;
  }

  /** Assigns a value, or its elements if there are several variables. */
  static void assign(List<String> names, Object value, Scope scope) {
    if (names.size() == 1) {
      scope.set(names.get(0), value);
      return;
    }
    List<Object> elements = PythonValues.elements(value);
    if (elements.size() != names.size()) {
      throw TemplateException.of(
          "cannot assign %d values to %d names", elements.size(), names.size());
    }
    for (int i = 0; i < names.size(); i++) {
      scope.set(names.get(i), elements.get(i));
    }
  }

  /** Jinja's {@code loop}, an object that stays the same throughout a loop. */
  private static Attributes state(List<Object> elements) {
    Map<String, Object> state = new LinkedHashMap<>();
    state.put("length", (long) elements.size());
    state.put("depth", 1L);
    Callable cycle =
        (scope, given) -> {
          if (given.positional().isEmpty()) {
            throw TemplateException.of("loop.cycle needs values");
          }
          long index = (Long) state.get("index0");
          return given.positional().get((int) (index % given.positional().size()));
        };
    // The arguments of the last call.
    List<Object> last = new ArrayList<>();
    Callable changed =
        (scope, given) -> {
          boolean same =
              !last.isEmpty()
                  && PythonValues.equal(last.get(0), given.positional(), scope.budget());
          last.clear();
          last.add(given.positional());
          return !same;
        };
    state.put("cycle", cycle);
    state.put("changed", changed);
    return Attributes.fixed(state);
  }

  private static void move(Attributes loop, List<Object> elements, int index) {
    Map<String, Object> state = loop.values();
    long length = elements.size();
    state.put("index", index + 1L);
    state.put("index0", (long) index);
    state.put("revindex", length - index);
    state.put("revindex0", length - index - 1);
    state.put("first", index == 0);
    state.put("last", index == length - 1);
    state.put("previtem", index == 0 ? Undefined.named("loop.previtem") : elements.get(index - 1));
    state.put(
        "nextitem",
        index == length - 1 ? Undefined.named("loop.nextitem") : elements.get(index + 1));
  }
}
