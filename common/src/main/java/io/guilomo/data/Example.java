package io.guilomo.data;

import io.guilomo.model.UserException;
import java.io.Serializable;

/**
 * A record as token ids.
 *
 * @param tokens {@code [n]}
 * @param segments token type ids, {@code [n]}; all 0 for decoders
 * @param labels {@code [n]}, as {@link TokenBatch#labels()}
 */
public record Example(int[] tokens, int[] segments, int[] labels) implements Serializable {

  public Example {
    if (tokens.length == 0 || segments.length != tokens.length || labels.length != tokens.length) {
      throw new UserException(
          "Cannot build an example of %d tokens, %d segments and %d labels",
          tokens.length, segments.length, labels.length);
    }
  }

  public int length() {
    return tokens.length;
  }
}
