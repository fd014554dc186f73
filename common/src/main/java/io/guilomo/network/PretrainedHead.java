package io.guilomo.network;

import io.guilomo.config.ModelConfig.Pooling;
import io.guilomo.kernel.Activation;
import java.io.Serializable;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * The shape of the sequence-classification head that a checkpoint came with:
 *
 * <pre>
 *   logits = C norm(act(W x + b)) + c,   x the pooled state of a sequence
 * </pre>
 *
 * {@code W}, {@code b} and the norm stay frozen; {@code C} and {@code c} are where the trainable
 * classifier can start.
 *
 * @param labels names of its classes, the rows of {@code C}
 * @param singleLabel whether the head chooses one of its classes, rather than any number of them or
 *     a value
 * @param pooling what it reads
 * @param padding token that it passes over when it looks for the last one; −1 for none
 * @param activation null where the classifier reads the pooled state itself
 * @param normEpsilon 0 where no norm follows the activation
 */
public record PretrainedHead(
    List<String> labels,
    boolean singleLabel,
    Pooling pooling,
    int padding,
    Activation activation,
    float normEpsilon)
    implements Serializable {

  /** The name of {@code W} and {@code b}, before {@code .weight} and {@code .bias}. */
  public static final String DENSE = "classifier.dense";

  /** The name of the norm's tensors, before {@code .weight} and {@code .bias}. */
  public static final String NORM = "classifier.norm";

  public PretrainedHead {
    labels = List.copyOf(labels);
  }

  /** Rows of {@code C}. */
  public int classes() {
    return labels.size();
  }

  /**
   * The class of each of the given labels, where they are the head's own but for case and order.
   */
  public Optional<List<Integer>> order(List<String> others) {
    List<String> own = lowerCase(labels);
    List<Integer> order = lowerCase(others).stream().map(own::indexOf).toList();
    boolean same = order.stream().sorted().toList().equals(range(labels.size()));
    return same ? Optional.of(order) : Optional.empty();
  }

  private static List<String> lowerCase(List<String> names) {
    return names.stream().map(name -> name.toLowerCase(Locale.ROOT)).toList();
  }

  private static List<Integer> range(int size) {
    return IntStream.range(0, size).boxed().toList();
  }

  /** A head that reads an encoder through a linear layer and an activation. */
  public static PretrainedHead dense(
      List<String> labels, boolean singleLabel, Pooling pooling, Activation activation) {
    return new PretrainedHead(labels, singleLabel, pooling, -1, activation, 0);
  }

  /** A linear head on the last token. */
  public static PretrainedHead last(List<String> labels, boolean singleLabel, int padding) {
    return new PretrainedHead(labels, singleLabel, Pooling.LAST, padding, null, 0);
  }

  /** The same head with a norm after its activation. */
  public PretrainedHead normed(float epsilon) {
    return new PretrainedHead(labels, singleLabel, pooling, padding, activation, epsilon);
  }

  /** Elements of {@code W} and its bias, where it has one. */
  public long denseParameters(int hidden, boolean bias) {
    return activation == null ? 0 : (long) hidden * hidden + (bias ? hidden : 0);
  }
}
