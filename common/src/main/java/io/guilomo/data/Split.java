package io.guilomo.data;

import io.guilomo.model.UserException;
import java.io.Serializable;

/**
 * Holds out a fraction of the training data for validation. The decision depends only on the
 * content of a record, not on file order, format, partitions or seed. Equal records are on the same
 * side, so the two sides never overlap.
 *
 * @param fraction expected fraction of distinct records held out, {@code [0, 1)}
 */
public record Split(double fraction) implements Serializable {

  public Split {
    if (!(fraction >= 0 && fraction < 1)) {
      throw new UserException(
          "Cannot hold out a validation fraction of %s: expected 0 to below 1", fraction);
    }
  }

  /** Whether the record with this {@link TextRecord#digest()} is held out. */
  public boolean holdsOut(String digest) {
    long bits = Long.parseUnsignedLong(digest.substring(0, 16), 16);
    return (bits >>> 11) * 0x1p-53 < fraction;
  }

  public boolean holdsOut(TextRecord record) {
    return holdsOut(record.digest());
  }
}
