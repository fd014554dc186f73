package io.guilomo.spark.input;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TestFileStates {

  @TempDir private Path root;

  @BeforeEach
  void write() throws IOException {
    for (String file : List.of("a/one.jsonl", "a/b/c/two.jsonl", "a/b/three.jsonl")) {
      Path path = root.resolve(file);
      Files.createDirectories(path.getParent());
      Files.writeString(path, "{}");
      change(file, 1);
    }
  }

  @Test
  void recordsOfAllDepthsCountAndDirectoriesDoNot() throws IOException {
    List<String> before = records("a");
    assertThat(before)
        .containsExactly(state("a/b/c/two", 1), state("a/b/three", 1), state("a/one", 1));
    change("a", 5);
    change("a/b", 5);
    assertThat(records("a")).isEqualTo(before);
    change("a/b/c/two.jsonl", 5);
    assertThat(records("a")).contains(state("a/b/c/two", 5)).isNotEqualTo(before);
    assertThat(records("*/b")).containsExactly(state("a/b/c/two", 5), state("a/b/three", 1));
  }

  @Test
  void ofAModelTheFilesOfItsDirectoryCount() throws IOException {
    assertThat(model()).containsExactly(state("a/one", 1));
    change("a/b", 5);
    change("a/b/three.jsonl", 5);
    assertThat(model()).containsExactly(state("a/one", 1));
    Files.writeString(root.resolve("a/one.jsonl"), "[]");
    change("a/one.jsonl", 5);
    assertThat(model()).containsExactly(state("a/one", 5));
  }

  private String state(String file, long seconds) {
    return "file:" + root.resolve(file) + ".jsonl 2 " + 1000 * seconds;
  }

  private void change(String file, long seconds) throws IOException {
    Files.setLastModifiedTime(root.resolve(file), FileTime.fromMillis(1000 * seconds));
  }

  private List<String> records(String path) {
    return FileStates.ofRecords(root + "/" + path, new Configuration());
  }

  private List<String> model() throws IOException {
    return FileStates.ofModel(root + "/a", new Configuration());
  }
}
