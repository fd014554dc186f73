package io.guilomo.template;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * An object with attributes: {@code loop}, or a namespace, whose attributes may be set.
 *
 * @param mutable whether templates may set attributes
 */
record Attributes(Map<String, Object> values, boolean mutable) {

  static Attributes namespace(Map<String, Object> values) {
    return new Attributes(new LinkedHashMap<>(values), true);
  }

  static Attributes fixed(Map<String, Object> values) {
    return new Attributes(values, false);
  }
}
