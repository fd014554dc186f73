package io.guilomo.family;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Tensors of a checkpoint that a model does not use. Those of heads, of blocks beyond {@code
 * num_hidden_layers} and of other models in the same files do no harm; one inside a block that is
 * used means that the configuration is not that of the weights.
 *
 * @param inside a block of which other tensors were read
 * @param others all others
 */
public record UnreadTensors(List<String> inside, List<String> others) {

  private static final int NAMED = 4;

  /** A block: all up to the first number between two dots. */
  private static final Pattern BLOCK = Pattern.compile("(?:.*?\\.)??\\d+(?=\\.)");

  /** Buffers that some versions of transformers stored, and that every program computes itself. */
  private static final Pattern BUFFER =
      Pattern.compile(
          "(?:.*\\.)?(?:rotary_emb\\.\\w+|masked_bias|position_ids|token_type_ids|inv_freq)");

  public UnreadTensors {
    inside = List.copyOf(inside);
    others = List.copyOf(others);
  }

  static UnreadTensors of(Collection<String> unread, Collection<String> read) {
    Set<String> blocks = new HashSet<>();
    read.forEach(name -> block(name).ifPresent(blocks::add));
    List<String> inside = new ArrayList<>();
    List<String> others = new ArrayList<>();
    for (String name : unread) {
      if (!BUFFER.matcher(name).matches()) {
        (block(name).filter(blocks::contains).isPresent() ? inside : others).add(name);
      }
    }
    return new UnreadTensors(inside, others);
  }

  private static Optional<String> block(String name) {
    Matcher matcher = BLOCK.matcher(name);
    return matcher.lookingAt() ? Optional.of(matcher.group()) : Optional.empty();
  }

  /** Why the model cannot be used; empty if nothing is inside a block. */
  Optional<String> insideBlocks() {
    return inside.isEmpty()
        ? Optional.empty()
        : Optional.of(
            ("its layers have tensors that its config.json says nothing of: %s; without them the"
                    + " model computes something else, so use the config.json of these weights")
                .formatted(some(inside)));
  }

  /** One line that names some of the others; empty if there are none. */
  public Optional<String> describe() {
    return others.isEmpty() ? Optional.empty() : Optional.of("not used: " + some(others));
  }

  private static String some(List<String> names) {
    String first = String.join(", ", names.subList(0, Math.min(NAMED, names.size())));
    return names.size() <= NAMED ? first : "%s and %d more".formatted(first, names.size() - NAMED);
  }
}
