package io.guilomo.inference;

import io.guilomo.config.GenerationConfig;
import io.guilomo.model.UserException;
import java.io.Serializable;
import java.util.Set;

/**
 * How text is generated.
 *
 * @param maxNewTokens maximum number of tokens of a response
 * @param temperature divides the logits; 0: greedy decoding
 * @param topP probability mass to sample from: the fewest most likely tokens that reach it (arXiv
 *     1904.09751)
 * @param topK number of the most likely tokens to sample from, before {@code topP} is applied; 0:
 *     all
 * @param seed of sampling
 * @param stopTokens tokens that end a response
 */
public record GenerationSettings(
    int maxNewTokens, double temperature, double topP, int topK, long seed, Set<Integer> stopTokens)
    implements Serializable {

  public GenerationSettings {
    stopTokens = Set.copyOf(stopTokens);
    if (maxNewTokens < 1) {
      throw new UserException("Cannot generate %d tokens: expected at least 1", maxNewTokens);
    }
    if (!(temperature >= 0 && temperature < Double.POSITIVE_INFINITY)) {
      throw new UserException(
          "Cannot generate at temperature %s: expected at least 0", temperature);
    }
    if (!(topP > 0 && topP <= 1)) {
      throw new UserException(
          "Cannot sample from a probability mass of %s: expected above 0, at most 1", topP);
    }
    if (topK < 0) {
      throw new UserException("Cannot sample from %d tokens: expected at least 0", topK);
    }
  }

  /** Always the most likely token. */
  public static GenerationSettings greedy(int maxNewTokens, Set<Integer> stopTokens) {
    return new GenerationSettings(maxNewTokens, 0, 1, 0, 0, stopTokens);
  }

  /** From the configuration; the {@link ResponseReader} handles stop texts. */
  public static GenerationSettings of(GenerationConfig config, long seed, Set<Integer> stopTokens) {
    return new GenerationSettings(
        config.maxNewTokens(),
        config.temperature(),
        config.topP(),
        config.topK(),
        seed,
        stopTokens);
  }

  boolean greedy() {
    return temperature == 0;
  }
}
