package io.guilomo.spark.data;

import io.guilomo.data.TextEncoder;
import java.io.Serializable;

/** Is sent to the executors and creates the tokenizer there, once per JVM. */
public interface TextEncoderFactory extends Serializable {

  /** Identifies the tokenizer, for example the path of the model. */
  String key();

  TextEncoder create();
}
