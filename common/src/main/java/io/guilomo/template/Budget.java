package io.guilomo.template;

/**
 * Limits of one rendering. A template comes with a model, so it may be anybody's: it cannot run
 * forever, fill the memory or exhaust the stack.
 */
final class Budget {

  static final int MAX_CHARACTERS = 1 << 22;
  static final int MAX_ELEMENTS = 100_000;
  private static final long MAX_STEPS = 4_000_000;
  private static final int MAX_DEPTH = 64;

  private long steps;
  private int depth;

  /** Counts a step, of which there is one for every statement, expression and element. */
  void step() {
    if (++steps > MAX_STEPS) {
      throw TemplateException.of("it takes more than %d steps", MAX_STEPS);
    }
  }

  void characters(long length) {
    steps += length >> 10;
    if (length > MAX_CHARACTERS) {
      throw TemplateException.of("a text has more than %d characters", MAX_CHARACTERS);
    }
  }

  void elements(long count) {
    if (count > MAX_ELEMENTS) {
      throw TemplateException.of("a list has more than %d elements", MAX_ELEMENTS);
    }
  }

  void enter() {
    if (++depth > MAX_DEPTH) {
      throw TemplateException.of("macros call each other more than %d levels deep", MAX_DEPTH);
    }
  }

  void leave() {
    depth--;
  }
}
