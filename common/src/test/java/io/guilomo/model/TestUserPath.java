package io.guilomo.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TestUserPath {

  @TempDir private Path directory;

  @ParameterizedTest
  @ValueSource(
      strings = {"plain", "run[2]", "{b,c}", "all*?", "2024-01-01T10:00", "50 %", "#1", "a+b"})
  void everyCharacterStandsForItself(String name) throws IOException {
    Path file = Files.createDirectory(directory.resolve(name)).resolve("file");
    Files.createFile(file);
    UserPath found = UserPath.open(file.toString(), new Configuration());
    assertThat(found.files().exists(found.path())).isTrue();
    assertThat(UserPath.of(name + "/file").getName()).isEqualTo("file");
  }

  @Test
  void aSchemeNamesAFileSystem() {
    assertThat(UserPath.of("hdfs://namenode:8020/a").toUri().getScheme()).isEqualTo("hdfs");
    assertThat(UserPath.of("2024-01-01T10:00/a").toUri().getScheme()).isNull();
    assertThat(UserPath.of("a:b").toUri().getScheme()).isNull();
    assertThatThrownBy(() -> UserPath.open("s4://bucket/a", new Configuration()))
        .isInstanceOf(UserException.class)
        .hasMessage("Cannot use path s4://bucket/a: No FileSystem for scheme \"s4\"");
    assertThatThrownBy(() -> UserPath.of(""))
        .isInstanceOf(UserException.class)
        .hasMessage("Cannot use path \"\": Can not create a Path from an empty string");
  }
}
