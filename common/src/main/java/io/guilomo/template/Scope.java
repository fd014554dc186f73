package io.guilomo.template;

import java.time.Clock;
import java.util.HashMap;
import java.util.Map;

/**
 * The variables that statements see, and where their text goes.
 *
 * @param parent the scope around it; null for the outermost
 */
record Scope(Scope parent, Map<String, Object> variables, Run run) {

  /** What all scopes of a rendering share. */
  static final class Run {
    private final Budget budget = new Budget();
    private final Clock clock;
    private Output output = new Output(budget);

    Run(Clock clock) {
      this.clock = clock;
    }
  }

  static Scope outermost(Map<String, Object> variables, Clock clock) {
    return new Scope(null, new HashMap<>(variables), new Run(clock));
  }

  Scope inner() {
    return new Scope(this, new HashMap<>(), run);
  }

  Object get(String name) {
    for (Scope scope = this; scope != null; scope = scope.parent) {
      if (scope.variables.containsKey(name)) {
        return scope.variables.get(name);
      }
    }
    Callable function = Functions.named(name);
    return function == null ? Undefined.named(name) : function;
  }

  void set(String name, Object value) {
    variables.put(name, value);
  }

  /** Forgets this scope's own variables. */
  void clear() {
    variables.clear();
  }

  Budget budget() {
    return run.budget;
  }

  Clock clock() {
    return run.clock;
  }

  Output output() {
    return run.output;
  }

  /** What a statement writes in this scope, instead of writing it. */
  String captured(Statement statement) {
    Output outer = run.output;
    run.output = new Output(run.budget);
    try {
      statement.run(this);
      return run.output.text();
    } finally {
      run.output = outer;
    }
  }
}
