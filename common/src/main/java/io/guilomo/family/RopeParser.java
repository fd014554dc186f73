package io.guilomo.family;

import io.guilomo.io.ConfigJson;
import io.guilomo.model.UserException;
import io.guilomo.network.Rope;
import java.util.List;

/**
 * Reads rotary positions from a {@code config.json}: {@code rope_theta} and {@code rope_scaling},
 * or the {@code rope_parameters} of transformers 5, which hold both, for all layers alike or for
 * each type of layers.
 */
public final class RopeParser {

  private static final String PARAMETERS = "rope_parameters";
  private static final String SCALING = "rope_scaling";
  private static final String PARTIAL = "partial_rotary_factor";
  private static final String THETA = "rope_theta";
  private static final String ORIGINAL = "original_max_position_embeddings";

  private static final double BETA_FAST = 32;
  private static final double BETA_SLOW = 1;

  private final ConfigJson json;
  private final int positions;
  private final int rotated;

  private RopeParser(int positions, int rotated, ConfigJson json) {
    this.json = json;
    this.positions = positions;
    this.rotated = rotated;
  }

  /**
   * Rotations of a family that rotates all features of a head.
   *
   * @param positions {@code max_position_embeddings}
   * @throws UserException if the configuration has fewer of them rotated
   */
  public RopeParser(ConfigJson json, int positions, int headDim) {
    this(positions, headDim, json);
    double factor = partial(json);
    if (factor != 1) {
      throw json.refuse("%s is %s, supported is 1".formatted(PARTIAL, factor));
    }
  }

  /**
   * Rotations of a family that may rotate the first features of a head alone.
   *
   * @param positions {@code max_position_embeddings}
   */
  public static RopeParser partial(ConfigJson json, int positions, int headDim) {
    double factor = partial(json);
    int rotated = (int) (headDim * factor);
    if (rotated < 2 || rotated > headDim || rotated % 2 != 0) {
      throw json.refuse(
          "%s is %s, which rotates %d of %d features of a head, expected an even number"
              .formatted(PARTIAL, factor, rotated, headDim));
    }
    return new RopeParser(positions, rotated, json);
  }

  private static double partial(ConfigJson json) {
    double outside = json.positiveNumber(PARTIAL, 1);
    return json.has(PARAMETERS) ? json.child(PARAMETERS).positiveNumber(PARTIAL, outside) : outside;
  }

  /** Features of a head that are rotated. */
  public int rotated() {
    return rotated;
  }

  /**
   * The rope of layers that attend to all tokens, or of all layers where they rotate alike.
   *
   * @param theta what {@code rope_theta} is if it is absent
   * @throws UserException if the type is not known or a value is missing or wrong
   */
  public Rope global(double theta) {
    return global(THETA, theta);
  }

  /**
   * As {@link #global(double)}, where {@code rope_theta} has another name.
   *
   * @param thetaKey the name, outside {@code rope_parameters}
   */
  public Rope global(String thetaKey, double theta) {
    if (!json.has(PARAMETERS)) {
      double base = json.positiveNumber(thetaKey, theta);
      return json.has(SCALING) ? rope(SCALING, json.child(SCALING), base) : new Rope(base, null);
    }
    ConfigJson given = json.child(PARAMETERS);
    ConfigJson own = nested(given) ? child(given, LayerTypes.GLOBAL) : given;
    return rope(PARAMETERS, own, json.positiveNumber(thetaKey, theta));
  }

  /**
   * The rope of layers with a window, which {@code rope_scaling} does not concern.
   *
   * @param thetaKey name of its base, outside {@code rope_parameters}
   * @param theta what the base is if it is absent
   */
  public Rope local(String thetaKey, double theta) {
    double base = json.positiveNumber(thetaKey, theta);
    if (json.has(PARAMETERS) && nested(json.child(PARAMETERS))) {
      return rope(PARAMETERS, child(json.child(PARAMETERS), LayerTypes.LOCAL), base);
    }
    return new Rope(base, null);
  }

  /** As {@link #local}, of a family in which {@code rope_scaling} concerns all layers. */
  public Rope scaledLocal(String thetaKey, double theta) {
    return json.has(SCALING) && !json.has(PARAMETERS)
        ? rope(SCALING, json.child(SCALING), json.positiveNumber(thetaKey, theta))
        : local(thetaKey, theta);
  }

  /**
   * Positions that a model can read where {@code max_position_embeddings} may be those of its
   * pre-training, as transformers means it: sequences of any length with dynamic scaling.
   */
  public static int longest(Rope rope, int positions) {
    if (rope.scaling() instanceof Rope.Dynamic) {
      return Integer.MAX_VALUE;
    }
    if (rope.scaling() instanceof Rope.Linear linear) {
      return Math.max(positions, (int) (linear.factor() * positions));
    }
    if (rope.scaling() instanceof Rope.Yarn yarn) {
      return Math.max(positions, (int) (yarn.factor() * yarn.originalPositions()));
    }
    return positions;
  }

  private static boolean nested(ConfigJson parameters) {
    return parameters.has(LayerTypes.GLOBAL) || parameters.has(LayerTypes.LOCAL);
  }

  private ConfigJson child(ConfigJson parameters, String layers) {
    if (!parameters.has(layers)) {
      throw json.refuse("%s has no %s".formatted(PARAMETERS, layers));
    }
    return parameters.child(layers);
  }

  private Rope rope(String key, ConfigJson given, double otherwise) {
    double theta = given.positiveNumber(THETA, otherwise);
    String type = given.text("rope_type", given.text("type", "default"));
    return new Rope(
        theta,
        switch (type) {
          case "default" -> null;
          case "linear" -> new Rope.Linear(given.positiveNumber("factor"));
          case "dynamic" -> dynamic(given);
          case "llama3" -> llama3(given);
          // Phi-3 once called its own so.
          case "yarn" -> given.has("short_factor") ? longRope(given) : yarn(given);
          case "longrope", "su" -> longRope(given);
          default ->
              throw json.refuse(
                  "%s has type %s, supported are default, linear, dynamic, llama3, yarn and longrope"
                      .formatted(key, type));
        });
  }

  private Rope.Scaling dynamic(ConfigJson given) {
    if (rotated <= 2) {
      throw json.refuse(
          "rope type dynamic needs more than the %d features of a head that are rotated"
              .formatted(rotated));
    }
    return new Rope.Dynamic(given.positiveNumber("factor"), positions);
  }

  private Rope.Scaling llama3(ConfigJson given) {
    double low = given.positiveNumber("low_freq_factor");
    double high = given.positiveNumber("high_freq_factor");
    if (high <= low) {
      throw json.refuse(
          "high_freq_factor is %s, not above low_freq_factor %s".formatted(high, low));
    }
    return new Rope.Llama3(given.positiveNumber("factor"), low, high, given.positive(ORIGINAL));
  }

  private Rope.Scaling yarn(ConfigJson given) {
    int original = given.positive(ORIGINAL, positions);
    double factor = given.positiveNumber("factor", (double) positions / original);
    double magnitude = given.positiveNumber("attention_factor", yarnMagnitude(given, factor));
    return new Rope.Yarn(
        factor,
        original,
        given.positiveNumber("beta_fast", BETA_FAST),
        given.positiveNumber("beta_slow", BETA_SLOW),
        magnitude,
        given.flag("truncate", true));
  }

  /** The factor of arXiv 2309.00071, or the ratio of two such that DeepSeek's models give. */
  private static double yarnMagnitude(ConfigJson given, double factor) {
    if (given.has("mscale") && given.has("mscale_all_dim")) {
      return yarnMagnitude(factor, given.positiveNumber("mscale"))
          / yarnMagnitude(factor, given.positiveNumber("mscale_all_dim"));
    }
    return yarnMagnitude(factor, 1);
  }

  private static double yarnMagnitude(double factor, double scale) {
    return factor <= 1 ? 1 : 0.1 * scale * Math.log(factor) + 1;
  }

  private Rope.Scaling longRope(ConfigJson given) {
    int original = json.positive(ORIGINAL, given.positive(ORIGINAL, positions));
    double reach = (double) positions / original;
    double factor = json.has(ORIGINAL) ? reach : given.positiveNumber("factor", reach);
    double usual = factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(original));
    return new Rope.LongRope(
        factors(given, "short_factor"),
        factors(given, "long_factor"),
        original,
        given.positiveNumber("attention_factor", usual));
  }

  private List<Double> factors(ConfigJson given, String key) {
    List<Double> factors = given.positiveNumbers(key);
    if (factors.size() != rotated / 2) {
      throw json.refuse(
          "%s has %d entries, expected %d, half of the features of a head that are rotated"
              .formatted(key, factors.size(), rotated / 2));
    }
    return factors;
  }
}
