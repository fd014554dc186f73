package io.guilomo.spark.data.quickstart;

import com.fasterxml.jackson.annotation.JsonIgnore;
import io.guilomo.data.TextRecord;

/**
 * A line of a quick-start file.
 *
 * @param group sentences of one group fall into one file
 */
record LabelledSentence(String sentence, String label, @JsonIgnore String group) {

  /** A random but fixed order of sentences. */
  String order() {
    return new TextRecord.Sentence(sentence, null).digest();
  }
}
