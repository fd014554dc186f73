package io.guilomo.spark.table;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/**
 * Buffers the rows of one seed and writes them every few seconds: queries see them while the job
 * runs, and short rounds do not wait for files. Not thread-safe.
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

  /**
   * Writes the buffered rows at the end of a round.
   *
   * @param now even if the last write was only seconds ago
   */
  public void write(long round, boolean now) {
    boolean due = now || Duration.between(lastWrite, Instant.now()).compareTo(BETWEEN_WRITES) > 0;
    if (rows.isEmpty() || !due) {
      return;
    }
    table.append(seed, round, List.copyOf(rows));
    rows.clear();
    lastWrite = Instant.now();
  }
}
