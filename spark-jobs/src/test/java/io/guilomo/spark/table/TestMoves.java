package io.guilomo.spark.table;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TestMoves {
  @TempDir Path dir;

  private Moves moves;

  @BeforeEach
  void files() throws IOException {
    moves = new Moves(FileSystem.getLocal(new Configuration()));
    Files.writeString(Files.createDirectories(dir.resolve("old")).resolve("rows"), "old");
    Files.writeString(Files.createDirectories(dir.resolve("new")).resolve("rows"), "new");
  }

  @Test
  void oneAfterTheOther() throws IOException {
    move("old", "aside/old");
    move("new", "old");
    moves.run();
    assertThat(dir.resolve("old/rows")).hasContent("new");
    assertThat(dir.resolve("aside/old/rows")).hasContent("old");
  }

  @Test
  void whatCannotBeFinishedIsUndone() {
    move("old", "aside/old");
    move("new", "old");
    move("gone", "x");
    assertThatThrownBy(() -> moves.run())
        .isInstanceOf(FileNotFoundException.class)
        .hasMessageStartingWith("Cannot move ")
        .hasMessageContaining("gone")
        .hasMessageEndingWith(": it does not exist");
    assertThat(dir.resolve("old/rows")).hasContent("old");
    assertThat(dir.resolve("new/rows")).hasContent("new");
  }

  @Test
  void nothingIsMovedIntoWhatExists() {
    move("new", "old");
    assertThatThrownBy(() -> moves.run())
        .isInstanceOf(IOException.class)
        .hasMessageContaining("/old")
        .hasMessageEndingWith(": the target exists");
    assertThat(dir.resolve("old/rows")).hasContent("old");
    assertThat(dir.resolve("new/rows")).hasContent("new");
  }

  private void move(String from, String to) {
    moves.add(path(from), path(to));
  }

  private org.apache.hadoop.fs.Path path(String name) {
    return new org.apache.hadoop.fs.Path(dir.toString(), name);
  }
}
