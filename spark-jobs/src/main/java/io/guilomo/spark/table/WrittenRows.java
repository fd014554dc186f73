package io.guilomo.spark.table;

import java.util.List;

/** Is told of rows when queries can see them. */
public interface WrittenRows {

  /** Is told, and does nothing. */
  WrittenRows IGNORED =
      new WrittenRows() {
        @Override
        public <R> void wrote(Table<R> table, List<R> rows) {}
      };

  /** Called by the thread that has written them. */
  <R> void wrote(Table<R> table, List<R> rows);
}
