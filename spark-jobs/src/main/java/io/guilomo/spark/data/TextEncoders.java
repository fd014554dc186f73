package io.guilomo.spark.data;

import io.guilomo.data.TextEncoder;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/** The tokenizers of this JVM. */
final class TextEncoders {

  private static final ConcurrentMap<String, TextEncoder> ENCODERS = new ConcurrentHashMap<>();

  private TextEncoders() {}

  static TextEncoder of(TextEncoderFactory factory) {
    return ENCODERS.computeIfAbsent(factory.key(), key -> factory.create());
  }
}
