package io.guilomo.template;

import java.util.List;

/**
 * A macro.
 *
 * @param defined the scope in which it was defined, whose variables it sees
 */
record Macro(String name, List<Parameter> parameters, Statement body, Scope defined)
    implements Callable {

  /** A parameter and the value that it has if it is not given. */
  record Parameter(String name, Expression otherwise) {}

  @Override
  public String call(Scope scope, Arguments given) {
    if (given.positional().size() > parameters.size()) {
      throw TemplateException.of("macro %s takes %d arguments", name, parameters.size());
    }
    Scope inner = defined.inner();
    for (int i = 0; i < parameters.size(); i++) {
      Parameter parameter = parameters.get(i);
      inner.set(
          parameter.name,
          given.has(i, parameter.name)
              ? given.get(i, parameter.name, null)
              : parameter.otherwise.value(inner));
    }
    for (String own : given.named().keySet()) {
      if (parameters.stream().noneMatch(parameter -> parameter.name.equals(own))) {
        throw TemplateException.of("macro %s takes no argument %s", name, own);
      }
    }
    scope.budget().enter();
    try {
      return inner.captured(body);
    } finally {
      scope.budget().leave();
    }
  }
}
