package io.guilomo.spark.table;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** Renames that are executed in order; if one fails, the earlier ones are undone. */
class Moves {
  private record Move(Path from, Path to) {}

  private final FileSystem fileSystem;
  private final List<Move> moves = new ArrayList<>();

  Moves(FileSystem fileSystem) {
    this.fileSystem = fileSystem;
  }

  /** Adds a move to a path that must not exist when it is executed. */
  void add(Path from, Path to) {
    moves.add(new Move(from, to));
  }

  void run() throws IOException {
    Deque<Move> done = new ArrayDeque<>();
    try {
      for (Move move : moves) {
        rename(move.from(), move.to());
        done.push(move);
      }
    } catch (IOException | RuntimeException e) {
      for (Move move : done) {
        try {
          rename(move.to(), move.from());
        } catch (IOException | RuntimeException undo) {
          e.addSuppressed(undo);
        }
      }
      throw e;
    }
  }

  private void rename(Path from, Path to) throws IOException {
    if (!fileSystem.exists(from)) {
      throw new FileNotFoundException("Cannot move " + from + ": it does not exist");
    }
    // rename would move a directory into an existing one.
    if (fileSystem.exists(to)) {
      throw new IOException("Cannot move " + from + " to " + to + ": the target exists");
    }
    fileSystem.mkdirs(to.getParent());
    if (!fileSystem.rename(from, to)) {
      throw new IOException("Cannot move " + from + " to " + to);
    }
  }
}
