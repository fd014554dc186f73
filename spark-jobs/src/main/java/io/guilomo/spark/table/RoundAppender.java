package io.guilomo.spark.table;

import java.util.List;
import java.util.Map;
import org.apache.commons.lang3.exception.ExceptionUtils;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * Fills a table during a run, with one Parquet file per seed and averaging round. Queries that
 * start after {@link #append} has returned see its rows. Several threads may append, each the
 * rounds of its own seed.
 */
public final class RoundAppender<R> {
  private final TableWriter writer;
  private final Table<R> table;
  private final TableFiles files;
  private final Map<Long, Long> kept;

  /**
   * @param kept last round of each seed that has been written
   */
  RoundAppender(TableWriter writer, Table<R> table, TableFiles files, Map<Long, Long> kept) {
    this.writer = writer;
    this.table = table;
    this.files = files;
    this.kept = Map.copyOf(kept);
  }

  /** Writes the rows of a round; writing a round again replaces its rows. */
  public synchronized void append(long seed, long round, List<R> rows) {
    if (round < 0 || round <= kept.getOrDefault(seed, -1L)) {
      throw new IllegalStateException(
          "Cannot append round "
              + round
              + " of seed "
              + seed
              + " to table "
              + table
              + ": the next is "
              + (kept.getOrDefault(seed, -1L) + 1));
    }
    try {
      FileSystem fileSystem = files.fileSystem();
      Path temporary = files.temporary();
      try {
        TableWriter.write(writer.dataset(table, rows), temporary);
        Path target = files.roundFile(seed, round);
        fileSystem.delete(target, false);
        Moves moves = new Moves(fileSystem);
        moves.add(files.parquetFiles(temporary).get(0), target);
        moves.run();
      } finally {
        fileSystem.delete(temporary, true);
      }
      writer.observer().wrote(table, rows);
    } catch (Exception e) { // Spark throws checked exceptions that its methods do not declare.
      throw new IllegalStateException(
          String.format(
              "Cannot append round %d to table %s: %s",
              round, table, ExceptionUtils.getRootCause(e).getMessage()),
          e);
    }
  }

  /**
   * Merges the files of all rounds into one, so that queries need not open thousands. Nothing may
   * be appended afterwards.
   */
  public synchronized void finish() {
    writer.rewrite(table, rows -> rows);
  }
}
