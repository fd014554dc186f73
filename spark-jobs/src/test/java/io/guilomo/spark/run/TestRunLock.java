package io.guilomo.spark.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

class TestRunLock {

  private static final Duration BEAT = Duration.ofMillis(50);

  @TempDir private Path directory;
  private final CountDownLatch lost = new CountDownLatch(2);

  @Test
  void aSecondSubmissionIsRefusedWhileTheFirstLives() throws IOException {
    try (RunLock first = take("app-1")) {
      assertThatThrownBy(() -> take("app-2"))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage(
              "Cannot start allocate of run cola: app-1 on %s is running it; wait for it or use another"
                      .formatted(InetAddress.getLocalHost().getHostName())
                  + " run.id");
    }
    assertThat(directory.resolve("lock")).doesNotExist();
    take("app-3").close();
  }

  @Test
  void thatOfAProcessThatDiedHereIsTakenOver() throws Exception {
    Process process = new ProcessBuilder("true").start();
    process.waitFor();
    leave("app-1", InetAddress.getLocalHost().getHostName(), process.pid());
    try (RunLock second = take("app-2")) {
      assertThat(Files.readString(directory.resolve("lock"))).contains("app-2");
    }
  }

  @Test
  void oneThatHasNoMoreBeatsIsTakenOver() throws IOException {
    leave("app-1", "elsewhere", 1);
    try (RunLock second = take("app-2")) {
      assertThat(Files.readString(directory.resolve("lock"))).contains("app-2");
    }
    Files.writeString(directory.resolve("lock"), "half a li");
    take("app-3").close();
  }

  @Test
  @Timeout(60)
  void thatOfAnEarlierAttemptOfTheSameApplicationIsTakenOverAtOnce() throws IOException {
    leave("application_1_0001", "elsewhere", 1);
    Duration hour = Duration.ofHours(1);
    try (RunLock second = take("application_1_0001", hour)) {
      assertThat(Files.readString(directory.resolve("lock")))
          .contains("\t" + ProcessHandle.current().pid() + "\t0");
    }
  }

  @Test
  void twoJobsOfOneProcessAreNotAttemptsOfTheSame() throws IOException {
    try (RunLock first = take("app-1")) {
      assertThatThrownBy(() -> take("app-1")).hasMessageStartingWith("Cannot start allocate of ");
    }
  }

  @Test
  void aHolderIsToldUntilItEndsWhenItsLockIsTakenAway() throws Exception {
    try (RunLock first = take("app-1")) {
      leave("app-2", "elsewhere", 1);
      assertThat(lost.await(20, TimeUnit.SECONDS)).isTrue();
    }
    assertThat(Files.readString(directory.resolve("lock"))).contains("app-2");
  }

  private void leave(String application, String host, long process) throws IOException {
    Files.deleteIfExists(directory.resolve(".lock.crc"));
    Files.writeString(
        directory.resolve("lock"),
        String.join("\t", "an-id", application, host, "" + process, "7"));
  }

  private RunLock take(String application) throws IOException {
    return take(application, BEAT);
  }

  private RunLock take(String application, Duration heartbeat) throws IOException {
    return RunLock.take(
        new org.apache.hadoop.fs.Path(directory.resolve("lock").toUri()),
        new Configuration(),
        "allocate of run cola",
        application,
        lost::countDown,
        heartbeat);
  }
}
