package io.guilomo.spark.table;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** Renames that happen in order; where one fails, those before it are undone. */
class Moves {
  private record Move(Path from, Path to) {}

  private final FileSystem fileSystem;
  private final List<Move> moves = new ArrayList<>();

  Moves(FileSystem fileSystem) {
    this.fileSystem = fileSystem;
  }

  /** Adds a move to a path where nothing is by then. */
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
      throw new FileNotFoundException("Cannot move " + from + ": it is not there");
    }
    // Rename would move a directory into one that exists.
    if (fileSystem.exists(to)) {
      throw new IOException("Cannot move " + from + " to " + to + ": it exists");
    }
    fileSystem.mkdirs(to.getParent());
    if (!fileSystem.rename(from, to)) {
      throw new IOException("Cannot move " + from + " to " + to);
    }
  }
}
