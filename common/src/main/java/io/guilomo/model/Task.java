package io.guilomo.model;

import java.util.Arrays;

/** What a record is learned as; {@code data.task}. */
public enum Task {
  /** An instruction and its response. */
  CAUSAL_LM,
  /**
   * A question with lettered options, learned as an instruction whose response names the letter.
   */
  MULTIPLE_CHOICE,
  /** A sentence or a pair of sentences and one label. */
  CLASSIFICATION;

  /**
   * @throws UserException for a name that is no task
   */
  public static Task parse(String name) {
    return ConstantName.find(Task.class, name)
        .orElseThrow(
            () ->
                new UserException(
                    "Cannot use task %s: expected one of %s", name, Arrays.toString(values())));
  }

  @Override
  public String toString() {
    return ConstantName.of(this);
  }
}
