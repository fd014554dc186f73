package io.guilomo.data;

import io.guilomo.model.UserException;
import java.io.Serializable;
import java.math.BigInteger;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.TreeSet;

/**
 * The labels of a classification task; the class of a label is its index.
 *
 * @param labels distinct, 2 to {@link #MAX_LABELS}, of at most {@link #MAX_CHARACTERS} characters
 */
public record LabelSet(List<String> labels) implements Serializable {

  /** As many as an adapter can have. */
  public static final int MAX_LABELS = 1 << 16;

  /** Characters of a label that an adapter can have. */
  public static final int MAX_CHARACTERS = 256;

  /** Classes that a message names. */
  private static final int NAMED = 10;

  public LabelSet {
    labels = List.copyOf(labels);
    if (labels.size() < 2) {
      throw new UserException(
          "Cannot classify into labels %s: at least 2 are needed", named(labels));
    }
    if (labels.stream().distinct().count() < labels.size()) {
      throw new UserException(
          "Cannot classify into labels %s: they contain duplicates", named(labels));
    }
    if (labels.size() > MAX_LABELS) {
      throw new UserException(
          "Cannot classify into %d labels: maximum is %d; map data.columns.label to a field of classes",
          labels.size(), MAX_LABELS);
    }
    for (String label : labels) {
      if (label.isBlank() || label.length() > MAX_CHARACTERS) {
        throw new UserException(
            "Cannot use label '%s' of %d characters: expected 1 to %d that are not all white space;"
                + " rename it in the data",
            Listing.shortened(label), label.length(), MAX_CHARACTERS);
      }
    }
  }

  /**
   * The distinct labels in the data, sorted by value if all are integers, and by text otherwise.
   */
  public static LabelSet of(Collection<String> labels) {
    boolean integers = labels.stream().allMatch(label -> label.matches("[+-]?\\d{1,18}"));
    Comparator<String> order = Comparator.naturalOrder();
    Comparator<String> byValue =
        Comparator.comparing((String label) -> new BigInteger(label)).thenComparing(order);
    TreeSet<String> sorted = new TreeSet<>(integers ? byValue : order);
    sorted.addAll(labels);
    return new LabelSet(List.copyOf(sorted));
  }

  public int size() {
    return labels.size();
  }

  /**
   * @throws UserException if the label is not in the set
   */
  public int index(String label) {
    int index = labels.indexOf(label);
    if (index < 0) {
      throw new UserException(
          "Cannot use label %s: expected one of %s", Listing.shortened(label), named(labels));
    }
    return index;
  }

  /** All labels, or the first and the number of the others. */
  public static String named(List<String> labels) {
    return "[" + Listing.of(labels, NAMED) + "]";
  }
}
