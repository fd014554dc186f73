package io.guilomo.template;

/** A parsed statement. */
@FunctionalInterface
interface Statement {

  /** How the loop around a statement goes on after it. */
  enum Flow {
    NEXT,
    BREAK,
    CONTINUE
  }

  Flow run(Scope scope);
}
