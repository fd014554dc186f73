package io.guilomo.config;

import java.io.Serializable;
import java.util.List;

/**
 * How text is generated; {@code guilomo.generation}.
 *
 * @param temperature 0: greedy decoding
 * @param topP probability mass of the most likely tokens to sample from
 * @param topK number of the most likely tokens to sample from; 0: all
 * @param stop texts that end a response
 * @param answerPattern its first group is the answer; empty: the pattern of the template
 */
public record GenerationConfig(
    int maxNewTokens,
    double temperature,
    double topP,
    int topK,
    List<String> stop,
    String answerPattern)
    implements Serializable {

  static GenerationConfig of(ConfigSection section) {
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
