package io.guilomo.template;

/**
 * The value of a variable or attribute that does not exist: false, empty, and refused by everything
 * else.
 *
 * @param why what to tell whoever uses it
 */
record Undefined(String why) {

  static Undefined named(String name) {
    return new Undefined("'" + name + "' is undefined");
  }

  TemplateException refused() {
    return TemplateException.of("%s", why);
  }
}
