package io.guilomo.spark.data;

import java.util.Iterator;
import java.util.NoSuchElementException;

/** Records that a parser reads one after the other. */
abstract class RecordIterator implements Iterator<RawRecord> {

  private RawRecord next;
  private boolean ended;

  /** The next record; null if there is none. */
  abstract RawRecord read();

  @Override
  public final boolean hasNext() {
    if (next == null && !ended) {
      next = read();
      ended = next == null;
    }
    return next != null;
  }

  @Override
  public final RawRecord next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    RawRecord read = next;
    next = null;
    return read;
  }
}
