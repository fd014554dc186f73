package io.guilomo.spark.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

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
                      .formatted(Host.name())
                  + " run.id");
    }
    assertThat(directory.resolve("lock")).doesNotExist();
    take("app-3").close();
  }

  @Test
  @Timeout(60)
  void thatOfAProcessThatDiedHereIsTakenOverAtOnce() throws Exception {
    leave("app-1", Host.name(), dead(), Host.processes());
    try (RunLock second = take("app-2", Duration.ofHours(1))) {
      assertThat(Files.readString(directory.resolve("lock"))).contains("app-2");
    }
  }

  @Test
  void thatOfAnEarlierReleaseIsTakenOverWhenItHasNoMoreBeats() throws Exception {
    leave("app-1", Host.name(), dead());
    try (RunLock second = take("app-2")) {
      assertThat(Files.readString(directory.resolve("lock"))).contains("app-2");
    }
  }

  /** Its number may be that of no process here, or of another. */
  @ParameterizedTest
  @CsvSource({"'a boot of another machine', false", "'', true"})
  void aProcessOfAnotherContainerWithThisNameIsNotTakenForDead(String processes, boolean earlier)
      throws Exception {
    long dead = dead();
    ScheduledExecutorService living = Executors.newSingleThreadScheduledExecutor();
    try {
      AtomicLong beats = new AtomicLong();
      Path lock = directory.resolve("lock");
      Path next = directory.resolve("next");
      Callable<Path> beat =
          () -> {
            String line = "an-id\tapp-1\t" + Host.name() + "\t" + dead + "\t" + beats.addAndGet(1);
            Files.writeString(next, earlier ? line : line + "\t" + processes);
            return Files.move(next, lock, StandardCopyOption.ATOMIC_MOVE);
          };
      beat.call();
      living.scheduleWithFixedDelay(
          () -> assertThatCode(beat::call).doesNotThrowAnyException(), 0, 1, TimeUnit.MILLISECONDS);
      assertThatThrownBy(() -> take("app-2", Duration.ofSeconds(5)))
          .hasMessage(
              "Cannot start allocate of run cola: app-1 on %s is running it; wait for it or use another"
                      .formatted(Host.name())
                  + " run.id");
    } finally {
      living.shutdownNow();
    }
  }

  private static long dead() throws IOException, InterruptedException {
    Process process = new ProcessBuilder("true").start();
    process.waitFor();
    return process.pid();
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
          .endsWith("\t" + ProcessHandle.current().pid() + "\t0\t" + Host.processes());
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

  /**
   * @param processes that the process is one of; none as an earlier release left it
   */
  private void leave(String application, String host, long process, String... processes)
      throws IOException {
    Files.deleteIfExists(directory.resolve(".lock.crc"));
    Files.writeString(
        directory.resolve("lock"),
        Stream.concat(
                Stream.of("an-id", application, host, "" + process, "7"), Stream.of(processes))
            .collect(Collectors.joining("\t")));
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
