package io.guilomo.spark.cli;

import io.guilomo.spark.progress.ProgressListener;
import io.guilomo.spark.report.Numbers;
import java.io.PrintStream;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/** Progress as plain lines, at most one every five seconds, for logs and files. */
final class LineProgress implements ProgressListener {

  private static final long INTERVAL = TimeUnit.SECONDS.toNanos(5);

  private final PrintStream err;
  private final LongSupplier clock;

  private String task;
  private long rounds;
  private long done;
  private long begun;
  private long shown;

  LineProgress(PrintStream err) {
    this(err, System::nanoTime);
  }

  /**
   * @param clock in nanoseconds
   */
  LineProgress(PrintStream err, LongSupplier clock) {
    this.err = err;
    this.clock = clock;
  }

  @Override
  public synchronized void begin(String task, long rounds) {
    this.task = task;
    this.rounds = rounds;
    this.done = 0;
    this.begun = clock.getAsLong();
    this.shown = begun;
    err.printf("%s: %d %s%n", task, rounds, rounds == 1 ? "round" : "rounds");
  }

  @Override
  public synchronized void round(Map<String, Double> values) {
    done++;
    long now = clock.getAsLong();
    if (done == 1 || done == rounds || now - shown >= INTERVAL) {
      shown = now;
      long left = (now - begun) / done * Math.max(0, rounds - done);
      err.printf(
          "%s: round %d of %d%s, %s left%n",
          task, done, rounds, text(values), Numbers.duration(Duration.ofNanos(left)));
    }
  }

  /** {@code ", train loss 0.6931"} for each value. */
  static String text(Map<String, Double> values) {
    StringBuilder text = new StringBuilder();
    values.forEach((name, value) -> text.append(Numbers.format(", %s %.4g", name, value)));
    return text.toString();
  }

  @Override
  public synchronized void message(String line) {
    err.println(line);
  }

  @Override
  public synchronized void end() {
    err.flush();
  }
}
