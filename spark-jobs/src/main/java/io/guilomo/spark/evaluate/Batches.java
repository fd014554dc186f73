package io.guilomo.spark.evaluate;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.function.Function;

/** Maps elements batch by batch, and returns the results one by one. */
public final class Batches<T, R> implements Iterator<R> {

  private final Iterator<T> elements;
  private final int size;
  private final Function<List<T>, List<R>> change;
  private final Runnable end;
  private Iterator<R> changed = List.<R>of().iterator();
  private boolean ended;

  /**
   * @param end called once, when there is nothing more
   */
  public Batches(Iterator<T> elements, int size, Function<List<T>, List<R>> change, Runnable end) {
    this.elements = elements;
    this.size = size;
    this.change = change;
    this.end = end;
  }

  @Override
  public boolean hasNext() {
    while (!changed.hasNext() && elements.hasNext()) {
      List<T> batch = new ArrayList<>(size);
      while (batch.size() < size && elements.hasNext()) {
        batch.add(elements.next());
      }
      changed = change.apply(batch).iterator();
    }
    if (!changed.hasNext() && !ended) {
      ended = true;
      end.run();
    }
    return changed.hasNext();
  }

  @Override
  public R next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    return changed.next();
  }
}
