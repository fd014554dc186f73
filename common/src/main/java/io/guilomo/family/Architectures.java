package io.guilomo.family;

import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Hugging Face's classes of a kind of models, by which a config.json names its architecture: the
 * base model, and those with a head, which is left out or read as the family says.
 */
public enum Architectures {
  DECODERS("ForCausalLM", "ForSequenceClassification", "ForTokenClassification", "Model"),
  ENCODERS(
      "ForMaskedLM",
      "ForMultipleChoice",
      "ForQuestionAnswering",
      "ForSequenceClassification",
      "ForTokenClassification",
      "Model");

  private final Set<String> classes;

  Architectures(String... classes) {
    this.classes = Set.of(classes);
  }

  /** The names of the classes of models, such as {@code Qwen2} or {@code XLMRoberta}. */
  public Set<String> of(String... models) {
    return Stream.of(models)
        .flatMap(model -> classes.stream().map(model::concat))
        .collect(Collectors.toUnmodifiableSet());
  }
}
