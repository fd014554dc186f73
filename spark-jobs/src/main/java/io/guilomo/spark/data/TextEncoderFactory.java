package io.guilomo.spark.data;

import io.guilomo.data.TextEncoder;
import java.io.Serializable;

/** Travels to the executors and makes the tokenizer there, once in each JVM. */
public interface TextEncoderFactory extends Serializable {

  /** What tells tokenizers apart, e.g. the path of the model. */
  String key();

  TextEncoder create();
}
