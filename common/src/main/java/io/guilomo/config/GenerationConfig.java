package io.guilomo.config;

import java.io.Serializable;
import java.util.List;

/**
 * How text is generated; {@code guilomo.generation}.
 *
 * @param temperature 0: the likeliest token always
 * @param topP share of the probability that is drawn from
 * @param topK tokens that are drawn from; 0: all
 * @param stop texts that end a response
 * @param answerPattern its first group is the answer; empty: the template's
 */
public record GenerationConfig(
    int maxNewTokens,
    double temperature,
    double topP,
    int topK,
    List<String> stop,
    String answerPattern)
    implements Serializable {

  static GenerationConfig of(Section section) {
    GenerationConfig config =
        new GenerationConfig(
            section.whole("max-new-tokens", 1),
            section.number("temperature", 0.0),
            section.share("top-p"),
            section.whole("top-k", 0),
            section.texts("stop"),
            section.text("answer-pattern"));
    if (config.topP == 0) {
      throw section.refuse("top-p", "must be above 0");
    }
    return config;
  }
}
