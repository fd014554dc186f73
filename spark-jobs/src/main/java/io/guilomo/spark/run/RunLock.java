package io.guilomo.spark.run;

import io.guilomo.model.UserException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.ChecksumException;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileAlreadyExistsException;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * Keeps two submissions of the same job of a run from running at the same time. The holder writes
 * its heartbeat into a file every few seconds; a file whose heartbeat has stopped was left by a
 * driver that died, and is taken over. One of the same application is taken over at once: YARN
 * starts a second driver of an application only when it has given up the first.
 *
 * <p>On file systems that cannot create a file exclusively, as object stores, two that start in the
 * same moment may both succeed; the next heartbeat stops the one whose file was overwritten.
 */
public final class RunLock implements AutoCloseable {

  private static final Duration HEARTBEAT = Duration.ofSeconds(5);
  private static final int MISSED_HEARTBEATS = 4;

  private static final int MAX_BYTES = 4096;

  private static final String UNKNOWN = "?";

  /** Begins the names of its applications, which no two clusters share. */
  private static final String YARN = "application_";

  private final Path path;
  private final FileSystem files;
  private final Holder holder;
  private final Runnable onLost;
  private final ScheduledExecutorService scheduler;
  private long heartbeats;
  private boolean lost;

  /**
   * Who holds a lock.
   *
   * @param id of the submission
   * @param application that Spark calls it
   * @param processes that its own is one of; empty in locks of earlier releases
   */
  private record Holder(
      String id, String application, String host, long process, String processes) {

    static Holder of(String line) {
      String[] words = line.split("\t");
      try {
        return new Holder(
            words[0],
            words[1],
            words[2],
            Long.parseLong(words[3]),
            words.length > 5 ? words[5] : "");
      } catch (IndexOutOfBoundsException | NumberFormatException e) {
        return new Holder(UNKNOWN, "an unknown application", "?", -1, "");
      }
    }

    String heartbeat(long number) {
      return String.join("\t", id, application, host, "" + process, "" + number, processes);
    }

    /** Whether it was a process that the other could see, and is no longer there. */
    boolean diedBeside(Holder other) {
      return runsBeside(other) && ProcessHandle.of(process).isEmpty();
    }

    private boolean runsBeside(Holder other) {
      return host.equals(other.host) && processes.equals(other.processes);
    }

    /** Whether it is known to be another submission. */
    boolean isAnother(Holder own) {
      return !id.equals(UNKNOWN) && !id.equals(own.id);
    }

    /** Whether it is another process of the same application of YARN. */
    boolean isEarlierAttemptOf(Holder later) {
      return application.startsWith(YARN)
          && application.equals(later.application)
          && !(runsBeside(later) && process == later.process);
    }
  }

  private RunLock(Path path, FileSystem files, Holder holder, Runnable onLost) {
    this.path = path;
    this.files = files;
    this.holder = holder;
    this.onLost = onLost;
    this.scheduler =
        Executors.newSingleThreadScheduledExecutor(
            task -> {
              Thread thread = new Thread(task, "run-lock");
              thread.setDaemon(true);
              return thread;
            });
  }

  /**
   * Takes the lock; waits up to 20 seconds to see whether an earlier holder is still alive.
   *
   * @param run names the job and the run in messages
   * @param application of this submission
   * @param onLost is run at every heartbeat once another submission has taken the lock over: this
   *     one must stop
   * @throws UserException if another submission is running
   */
  public static RunLock take(
      Path path, Configuration conf, String run, String application, Runnable onLost)
      throws IOException {
    return take(path, conf, run, application, onLost, HEARTBEAT);
  }

  static RunLock take(
      Path path,
      Configuration conf,
      String run,
      String application,
      Runnable onLost,
      Duration heartbeat)
      throws IOException {
    FileSystem files = path.getFileSystem(conf);
    Holder holder =
        new Holder(
            UUID.randomUUID().toString(),
            application,
            Host.name(),
            ProcessHandle.current().pid(),
            Host.processes());
    RunLock lock = new RunLock(path, files, holder, onLost);
    if (!lock.create()) {
      Optional<String> found = read(files, path);
      Optional<Holder> earlier = found.map(Holder::of);
      if (earlier.isPresent()
          && !earlier.get().diedBeside(holder)
          && !earlier.get().isEarlierAttemptOf(holder)) {
        awaitSilence(files, path, found.get(), run, heartbeat.multipliedBy(MISSED_HEARTBEATS));
      }
      files.delete(path, false);
      if (!lock.create()) {
        throw refused(run, read(files, path).orElse(""));
      }
    }
    lock.scheduler.scheduleWithFixedDelay(
        lock::heartbeat, heartbeat.toMillis(), heartbeat.toMillis(), TimeUnit.MILLISECONDS);
    return lock;
  }

  /** Returns when the holder has stopped writing, or has released the lock. */
  private static void awaitSilence(
      FileSystem files, Path path, String first, String run, Duration deadAfter)
      throws IOException {
    long end = System.nanoTime() + deadAfter.toNanos();
    IOException unread = null;
    while (System.nanoTime() < end) {
      try {
        TimeUnit.NANOSECONDS.sleep(deadAfter.toNanos() / 40);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw refused(run, first);
      }
      Optional<String> now;
      try {
        now = read(files, path);
        unread = null;
      } catch (IOException e) {
        // An object store says so where a heartbeat replaces the file while it is read.
        unread = e;
        continue;
      }
      if (now.isEmpty()) {
        return;
      }
      if (!now.get().equals(first)) {
        // Now it may be half written.
        throw refused(run, first.isEmpty() ? now.get() : first);
      }
    }
    if (unread != null) {
      throw unread;
    }
  }

  private static UserException refused(String run, String heartbeat) {
    Holder holder = Holder.of(heartbeat);
    return new UserException(
        "Cannot start %s: %s on %s is running it; wait for it or use another run.id",
        run, holder.application(), holder.host());
  }

  private boolean create() throws IOException {
    files.mkdirs(path.getParent());
    try (OutputStream out = files.create(path, false)) {
      out.write(holder.heartbeat(0).getBytes(StandardCharsets.UTF_8));
      return true;
    } catch (FileAlreadyExistsException e) {
      return false;
    } catch (IOException e) {
      // Not every file system throws the exception that Hadoop's interface names.
      if (files.exists(path)) {
        return false;
      }
      throw e;
    }
  }

  private void heartbeat() {
    try {
      if (!lost) {
        Optional<String> found = read(files, path);
        // An earlier heartbeat that failed half-way is no other's.
        lost = found.map(Holder::of).filter(other -> other.isAnother(holder)).isPresent();
      }
      if (lost) {
        // Repeated at every heartbeat: cancelling stops only the jobs running at that moment.
        onLost.run();
        return;
      }
      try (OutputStream out = files.create(path, true)) {
        out.write(holder.heartbeat(++heartbeats).getBytes(StandardCharsets.UTF_8));
      }
    } catch (IOException e) {
      // The next heartbeat may succeed; four that fail look dead to another submission.
    }
  }

  private static Optional<String> read(FileSystem files, Path path) throws IOException {
    try (FSDataInputStream in = files.open(path)) {
      return Optional.of(new String(in.readNBytes(MAX_BYTES), StandardCharsets.UTF_8));
    } catch (FileNotFoundException e) {
      return Optional.empty();
    } catch (ChecksumException e) {
      // Half written: by a holder that lives, or one that died over it.
      return Optional.of("");
    }
  }

  /** Releases the lock. */
  @Override
  public void close() {
    scheduler.shutdown();
    try {
      scheduler.awaitTermination(HEARTBEAT.toMillis(), TimeUnit.MILLISECONDS);
      Optional<String> found = read(files, path);
      if (found.isPresent() && Holder.of(found.get()).id().equals(holder.id())) {
        files.delete(path, false);
      }
    } catch (IOException e) {
      // It no longer writes, so the lock will be taken over.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
