package io.guilomo.family;

import io.guilomo.model.UserException;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * What the files of a model call the tensors of its base model and of its heads.
 *
 * <p>The same base model is stored alone ({@code layers.0.…}), in a class with a head ({@code
 * model.layers.0.…}, {@code bert.encoder.layer.0.…}) or as a part of a larger model ({@code
 * model.language_model.layers.0.…}, {@code language_model.model.layers.0.…}). The prefix is the one
 * under which the first tensor that the family asks for is found. The first checkpoints of BERT
 * call the weight and the bias of a norm {@code gamma} and {@code beta}.
 */
final class StoredNames {

  private final Set<String> stored;
  private final String base;
  private String prefix;

  /**
   * @param stored names of all tensors of the files
   * @param base transformers' {@code base_model_prefix} of the family
   */
  StoredNames(Set<String> stored, String base) {
    this.stored = stored;
    this.base = base + ".";
  }

  /** What the files call a tensor; empty if they do not have it. */
  Optional<String> find(String name) {
    String inBase = inBase(name);
    if (prefix == null) {
      prefix = prefix(inBase);
    }
    Optional<String> found = present(prefix + inBase);
    return found.isPresent() ? found : ofHead(name);
  }

  /** A name as it is, or under the prefix of the larger model. */
  private Optional<String> ofHead(String name) {
    if (name.startsWith(base)) {
      return Optional.empty();
    }
    return present(name).or(() -> present("language_model." + name));
  }

  /** What the files would call a tensor that they do not have. */
  String expected(String name) {
    String inBase = inBase(name);
    String part = prefix + inBase.substring(0, inBase.indexOf('.') + 1);
    boolean inside = name.startsWith(base) || stored.stream().anyMatch(s -> s.startsWith(part));
    return inside ? prefix + inBase : name;
  }

  private String inBase(String name) {
    return name.startsWith(base) ? name.substring(base.length()) : name;
  }

  private Optional<String> present(String name) {
    return Stream.of(name, old(name)).filter(stored::contains).findFirst();
  }

  private static String old(String name) {
    return name.replace("LayerNorm.weight", "LayerNorm.gamma")
        .replace("LayerNorm.bias", "LayerNorm.beta");
  }

  private String prefix(String first) {
    TreeSet<String> prefixes = new TreeSet<>();
    for (String name : stored) {
      if (name.equals(first) || name.endsWith("." + first)) {
        prefixes.add(name.substring(0, name.length() - first.length()));
      }
    }
    if (prefixes.isEmpty()) {
      boolean withHead = stored.stream().anyMatch(name -> name.startsWith(base));
      return withHead ? base : "";
    }
    if (prefixes.size() == 1) {
      return prefixes.first();
    }
    for (String known : List.of(base, "", "model.language_model.", "language_model.model.")) {
      if (prefixes.contains(known)) {
        return known;
      }
    }
    throw new UserException(
        "Cannot tell which model to load: %s is there under each of %s",
        first, String.join(", ", prefixes));
  }
}
