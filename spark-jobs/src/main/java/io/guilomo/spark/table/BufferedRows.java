package io.guilomo.spark.table;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/**
 * Rows of one seed on their way to a table: written every few seconds, so that a query sees them
 * while a job runs and short rounds do not wait for files. One thread at a time.
 */
public final class BufferedRows<R> {

  private static final Duration BETWEEN_WRITES = Duration.ofSeconds(10);

  private final RoundAppender<R> table;
  private final long seed;
  private final List<R> rows = new ArrayList<>();
  private Instant lastWrite = Instant.now();

  public BufferedRows(RoundAppender<R> table, long seed) {
    this.table = table;
    this.seed = seed;
  }

  public void add(R row) {
    rows.add(row);
  }

  /** Writes what has gathered up to the end of a round, if it is time. */
  public void flush(long round) {
    if (Duration.between(lastWrite, Instant.now()).compareTo(BETWEEN_WRITES) > 0) {
      write(round);
    }
  }

  /** Writes what has gathered up to the end of a round. */
  public void write(long round) {
    if (rows.isEmpty()) {
      return;
    }
    table.append(seed, round, List.copyOf(rows));
    rows.clear();
    lastWrite = Instant.now();
  }
}
