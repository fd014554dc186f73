package io.guilomo.spark.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guilomo.spark.checkpoint.QuotaFileSystem.Quota;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.factory.Nd4j;

class TestCheckpointDirectory {

  @TempDir private Path root;
  private final Configuration conf = new Configuration();
  private final List<String> passedOver = new ArrayList<>();

  @Test
  void whatIsWrittenIsReadBitForBit() throws IOException {
    CheckpointDirectory directory = directory(2);
    assertThat(directory.newest(passedOver::add)).isEmpty();
    Checkpoint written = checkpoint(7, 1.1f);
    directory.write(written);
    Checkpoint read = directory.newest(passedOver::add).orElseThrow();
    assertThat(read.round()).isEqualTo(7);
    assertThat(read.step()).isEqualTo(35);
    assertThat(read.network()).isEqualTo("network");
    assertThat(read.parameters().toFloatVector()).containsExactly(1.1f, -0f, 1e-40f);
    assertThat(read.updaterState().toFloatVector()).containsExactly(1, 2, 3, 4, 5, 6);
    assertThat(read.progress()).isEqualTo("{\"a\":1}");
    assertThat(read.configuration()).isEqualTo("{}");
    assertThat(passedOver).isEmpty();
    try (Stream<Path> files = Files.list(root)) {
      assertThat(files).containsExactly(root.resolve("round-00000007"));
    }
  }

  @Test
  void aTrainingWithAnySeedIsFoundAndRemoved() throws IOException {
    JobCheckpoints job = new JobCheckpoints(new org.apache.hadoop.fs.Path(root.toUri()), conf, 1);
    for (long seed : new long[] {Long.MIN_VALUE, 42, Long.MAX_VALUE}) {
      job.of(seed).write(checkpoint(1, 1));
    }
    Files.createDirectories(root.resolve("seed-9223372036854775808"));
    assertThat(job.seeds()).containsExactlyInAnyOrder(Long.MIN_VALUE, 42L, Long.MAX_VALUE);
    job.keep(List.of(42L));
    assertThat(job.seeds()).containsExactly(42L);
  }

  @Test
  void theNewestStayAndARoundIsReplaced() throws IOException {
    CheckpointDirectory directory = directory(2);
    for (int round : new int[] {5, 10, 15, 15}) {
      directory.write(checkpoint(round, round));
    }
    assertThat(names()).containsExactly("round-00000010", "round-00000015");
    assertThat(newestRound(directory)).hasValue(15L);
  }

  /** Left, for example, by a writer that died when checkpoints were written at other rounds. */
  @Test
  void whatIsNotWholeTakesNoPlaceOfTheNewest() throws IOException {
    CheckpointDirectory directory = directory(1);
    directory.write(checkpoint(2, 2));
    Files.createDirectories(root.resolve("round-00000005"));
    assertThat(newestRound(directory)).hasValue(2L);
    directory.write(checkpoint(3, 3));
    assertThat(names()).containsExactly("round-00000003");
    assertThat(newestRound(directory)).hasValue(3L);
  }

  @Test
  void everyFlippedByteIsNoticedAndTheOneBeforeTaken() throws IOException {
    directory(2).write(checkpoint(1, 1));
    directory(2).write(checkpoint(2, 2));
    int flipped = 0;
    for (Path file : files("round-00000002")) {
      byte[] good = Files.readAllBytes(file);
      for (int at = 0; at < good.length; at += Math.max(1, good.length / 40)) {
        byte[] bad = good.clone();
        bad[at] ^= 0x10;
        Files.write(file, bad);
        Optional<Checkpoint> newest = directory(2).newest(passedOver::add);
        assertThat(newest).as("%s, byte %d", file, at).isPresent();
        assertThat(newest.get().round()).as("%s, byte %d", file, at).isEqualTo(1);
        flipped++;
      }
      Files.write(file, good);
    }
    assertThat(flipped).isGreaterThan(90);
    assertThat(passedOver)
        .hasSize(flipped)
        .allMatch(line -> line.startsWith("Cannot read ") && line.contains("round-00000002"));
    assertThat(newestRound(directory(2))).hasValue(2L);
  }

  @Test
  void aTruncatedFileOrAMissingOneIsNoticed() throws IOException {
    directory(2).write(checkpoint(1, 1));
    directory(2).write(checkpoint(2, 2));
    Path newest = root.resolve("round-00000002");
    for (Path file : files("round-00000002")) {
      byte[] good = Files.readAllBytes(file);
      for (int length : new int[] {0, 1, good.length / 2, good.length - 1}) {
        Files.write(file, Arrays.copyOf(good, length));
        assertThat(newestRound(directory(2))).as("%s of %d bytes", file, length).hasValue(1L);
      }
      Files.delete(file);
      assertThat(newestRound(directory(2))).as("without %s", file).hasValue(1L);
      Files.write(file, good);
    }
    Files.write(newest.resolve("state.safetensors"), new byte[3]);
    passedOver.clear();
    assertThat(newestRound(directory(2))).hasValue(1L);
    assertThat(passedOver)
        .containsExactly(
            "Cannot read the checkpoint file:%s: state.safetensors has 3 bytes, its manifest says %d"
                .formatted(newest, stateBytes()));
  }

  @Test
  void aWriterThatDiesBetweenManifestAndRenameLosesItsCheckpointOnly() throws Exception {
    directory(1).write(checkpoint(1, 1));
    Files.createDirectories(root.resolve("other"));
    assertThat(DyingWriter.start(root).waitFor()).isEqualTo(DyingWriter.STATUS);
    Path left = root.resolve("_temporary-round-00000002");
    assertThat(names()).containsExactly(left.getFileName().toString(), "other", "round-00000001");
    assertThat(directory(1).read(hadoop(left)).round()).isEqualTo(2);

    assertThat(newestRound(directory(1))).hasValue(1L);
    assertThat(passedOver).isEmpty();
    directory(1).write(checkpoint(2, 3));
    assertThat(names()).containsExactly("other", "round-00000002");
    assertThat(directory(1).newest(passedOver::add).orElseThrow().parameters().getFloat(0))
        .isEqualTo(3);
  }

  @Test
  void onAFullDiskTheCheckpointBeforeStays() throws IOException {
    directory(1).write(checkpoint(1, 1));
    Configuration full = QuotaFileSystem.configure(new Configuration());
    CheckpointDirectory directory =
        new CheckpointDirectory(
            new org.apache.hadoop.fs.Path("quota://" + root.toAbsolutePath()), full, 1);
    for (int bytes : new int[] {0, 40, 300, 600}) {
      try (Quota quota = QuotaFileSystem.allow(bytes)) {
        assertThatThrownBy(() -> directory.write(checkpoint(2, 2)))
            .as("%d bytes free", bytes)
            .isInstanceOf(IOException.class)
            .hasMessage("No space left on device");
        assertThat(quota.exceeded()).isTrue();
      }
      assertThat(names()).containsExactly("round-00000001");
      assertThat(newestRound(directory(1))).hasValue(1L);
    }
    try (Quota quota = QuotaFileSystem.allow(1 << 20)) {
      directory.write(checkpoint(2, 2));
      assertThat(quota.exceeded()).isFalse();
    }
    assertThat(names()).containsExactly("round-00000002");
  }

  @Test
  void anEndedJobBeginsAnewAndOneThatDidNotGoesOn() throws IOException {
    JobCheckpoints job = new JobCheckpoints(hadoop(root), conf, 1);
    job.begin(true);
    job.of(3).write(checkpoint(1, 1));
    job.begin(true);
    assertThat(job.of(3).newest(passedOver::add)).isPresent();
    job.begin(false);
    assertThat(job.of(3).newest(passedOver::add)).isEmpty();
    job.of(3).write(checkpoint(1, 1));
    job.end();
    assertThat(job.of(3).newest(passedOver::add)).isPresent();
    job.begin(true);
    assertThat(job.of(3).newest(passedOver::add)).isEmpty();
  }

  static Checkpoint checkpoint(long round, float value) {
    return new Checkpoint(
        round,
        5 * round,
        "network",
        Nd4j.createFromArray(new float[][] {{value, -0f, 1e-40f}}),
        Nd4j.createFromArray(new float[][] {{1, 2, 3, 4, 5, 6}}),
        "{\"a\":1}",
        "{}");
  }

  private CheckpointDirectory directory(int keep) throws IOException {
    return new CheckpointDirectory(hadoop(root), conf, keep);
  }

  private Optional<Long> newestRound(CheckpointDirectory directory) throws IOException {
    return directory.newest(passedOver::add).map(Checkpoint::round);
  }

  private long stateBytes() throws IOException {
    return Files.size(root.resolve("round-00000001/state.safetensors"));
  }

  private List<String> names() throws IOException {
    try (Stream<Path> files = Files.list(root)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  /** The files of a checkpoint; Hadoop's checksums beside them are removed, others have none. */
  private List<Path> files(String name) throws IOException {
    try (Stream<Path> files = Files.list(root.resolve(name))) {
      List<Path> all = files.sorted().toList();
      for (Path file : all) {
        if (file.getFileName().toString().endsWith(".crc")) {
          Files.delete(file);
        }
      }
      return all.stream().filter(Files::exists).toList();
    }
  }

  private static org.apache.hadoop.fs.Path hadoop(Path path) {
    return new org.apache.hadoop.fs.Path(path.toUri());
  }
}
