package io.guilomo.config;

import java.util.List;

/**
 * Which strategies are compared; {@code guilomo.compare}.
 *
 * @param strategies names of allocation strategies
 * @param baseline the strategy that the others are compared with; one of them
 * @param seeds every strategy runs once with each
 */
public record CompareConfig(List<String> strategies, String baseline, List<Long> seeds) {

  static CompareConfig of(ConfigSection section) {
    List<String> strategies = section.texts("strategies");
    if (strategies.isEmpty() || strategies.stream().distinct().count() < strategies.size()) {
      throw section.refuse("strategies", "must be different strategies, at least one");
    }
    return new CompareConfig(
        strategies, section.oneOf("baseline", strategies), section.seeds("seeds", 1));
  }
}
