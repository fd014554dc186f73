package io.guilomo.spark.run;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TestRunDirectory {

  @TempDir private Path output;

  @Test
  void theAdaptersOfAnySeedAreFound() throws IOException {
    RunDirectory directory = new RunDirectory(output.toString(), "r", new Configuration());
    List<Long> seeds = List.of(Long.MIN_VALUE, -7L, 8L, 1_234_567_890_123_456_789L, Long.MAX_VALUE);
    for (long seed : seeds) {
      make("adapter-seed-" + seed);
      make("adapter-seed-" + seed + "-last");
    }
    make("adapter-seed-9223372036854775808");
    make("adapter-seed-08");
    assertThat(directory.bestAdapters())
        .extracting(org.apache.hadoop.fs.Path::getName)
        .containsExactly(
            "adapter",
            "adapter-seed-" + Long.MIN_VALUE,
            "adapter-seed--7",
            "adapter-seed-8",
            "adapter-seed-1234567890123456789",
            "adapter-seed-" + Long.MAX_VALUE);

    directory.keepMembers(List.of(-7L, 8L));
    assertThat(directory.bestAdapters())
        .extracting(org.apache.hadoop.fs.Path::getName)
        .containsExactly("adapter", "adapter-seed--7", "adapter-seed-8");
    assertThat(output.resolve("runs/r/adapter-seed-" + Long.MAX_VALUE + "-last")).doesNotExist();
    assertThat(output.resolve("runs/r/adapter-seed-8-last")).exists();
  }

  private void make(String name) throws IOException {
    Files.createDirectories(output.resolve("runs/r").resolve(name));
  }
}
