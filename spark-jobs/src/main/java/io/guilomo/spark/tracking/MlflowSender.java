package io.guilomo.spark.tracking;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/**
 * Sends requests to a server one after another, from a thread of its own. A request that fails is
 * repeated, with longer and longer pauses, and the others wait in a queue for the server to come
 * back. What the queue does not hold, and what is left at the end, is lost, and the user told so in
 * one line.
 */
final class MlflowSender {

  /** What a request sends. */
  enum Kind {
    VALUES("values of metrics"),
    FILES("files"),
    /** Beginning and end of runs. */
    RUNS("runs' beginnings and ends");

    private final String text;

    Kind(String text) {
      this.text = text;
    }
  }

  /** A request to the server; it may be called several times. */
  @FunctionalInterface
  interface Request {
    void send(MlflowClient client) throws IOException, InterruptedException;
  }

  /**
   * How long to wait.
   *
   * @param first pause before a request is repeated; each further one is twice as long
   * @param longest pause
   * @param tries of one request before the user is warned
   * @param silence at the end, in which the server takes nothing, after which it is given up
   * @param end in all
   * @param values of metrics that wait at most
   */
  record Patience(
      Duration first, Duration longest, int tries, Duration silence, Duration end, int values) {

    static final Patience OF_JOBS =
        new Patience(
            Duration.ofMillis(500),
            Duration.ofSeconds(30),
            4,
            Duration.ofSeconds(3),
            Duration.ofSeconds(60),
            100_000);
  }

  private final MlflowClient client;
  private final Consumer<String> messages;
  private final Patience patience;
  private final ThreadPoolExecutor thread;
  private final CountDownLatch finishing = new CountDownLatch(1);
  private final CountDownLatch givenUp = new CountDownLatch(1);
  private final AtomicLong[] lost = {new AtomicLong(), new AtomicLong(), new AtomicLong()};
  private final AtomicLong waiting = new AtomicLong();
  private final AtomicLong refusals = new AtomicLong();
  private volatile long progressAt = System.nanoTime();

  /** Why the last request failed; null if it did not. */
  private volatile IOException away;

  private volatile boolean warned;

  private final AtomicBoolean reported = new AtomicBoolean();

  /**
   * @param messages is told, from any thread, what the user should know
   */
  MlflowSender(MlflowClient client, Consumer<String> messages, Patience patience) {
    this.client = client;
    this.messages = messages;
    this.patience = patience;
    this.thread =
        new ThreadPoolExecutor(
            1,
            1,
            0,
            TimeUnit.SECONDS,
            // Values are counted before they are queued, and there are few other requests.
            new LinkedBlockingQueue<>(),
            task -> {
              Thread made = new Thread(task, "mlflow");
              made.setDaemon(true);
              return made;
            });
  }

  /** A request in the queue. */
  private final class Queued implements Runnable {
    private final Kind kind;
    private final int count;
    private final Request request;

    Queued(Kind kind, int count, Request request) {
      this.kind = kind;
      this.count = count;
      this.request = request;
    }

    @Override
    public void run() {
      try {
        deliver(this);
      } catch (InterruptedException e) {
        lose(this);
      } catch (RuntimeException e) {
        // A mistake in here is no reason for a job to stop.
        refused(new MlflowRefusal("", e.toString()));
      } finally {
        waiting.addAndGet(-count(Kind.VALUES));
      }
    }

    int count(Kind of) {
      return kind == of ? count : 0;
    }
  }

  /** Queues a request; where there is no room, what it sends is lost. */
  void send(Kind kind, int count, Request request) {
    Queued queued = new Queued(kind, count, request);
    int values = queued.count(Kind.VALUES);
    if (waiting.addAndGet(values) > patience.values()) {
      waiting.addAndGet(-values);
      lose(queued);
      return;
    }
    try {
      thread.execute(queued);
    } catch (RejectedExecutionException e) {
      waiting.addAndGet(-values);
      lose(queued);
    }
  }

  private void deliver(Queued queued) throws InterruptedException {
    Duration pause = patience.first();
    for (int tries = 1; ; tries++) {
      try {
        queued.request.send(client);
        succeeded();
        return;
      } catch (MlflowRefusal e) {
        // The run was never created, so the server has not answered; the user knows already.
        if (!e.is(MlflowRefusal.NOT_BEGUN)) {
          succeeded();
          refused(e);
        }
        return;
      } catch (IOException e) {
        away = e;
        if (tries >= patience.tries() && !warned) {
          warned = true;
          say(
              "does not answer (%s); the job goes on, and is recorded there when it comes back"
                  .formatted(e.getMessage()));
        }
      }
      if (!rest(pause)) {
        lose(queued);
        return;
      }
      pause = pause.multipliedBy(2);
      pause = pause.compareTo(patience.longest()) > 0 ? patience.longest() : pause;
    }
  }

  /** Waits before a request is repeated, and returns whether it is to be. */
  private boolean rest(Duration pause) throws InterruptedException {
    if (finishing.getCount() == 0) {
      return !givenUp.await(patience.first().toNanos(), TimeUnit.NANOSECONDS);
    }
    // The end of the job ends the pause: the server may be back.
    finishing.await(pause.toNanos(), TimeUnit.NANOSECONDS);
    return true;
  }

  private void succeeded() {
    away = null;
    warned = false;
    progressed();
  }

  /** The server has taken something. */
  void progressed() {
    progressAt = System.nanoTime();
  }

  private void refused(MlflowRefusal refusal) {
    if (refusal.is(MlflowRefusal.UNREAD)) {
      say("does not get a file that cannot be read (%s)".formatted(refusal.getMessage()));
    } else if (refusals.getAndIncrement() == 0) {
      say("refuses what it is sent (%s)".formatted(refusal.getMessage()));
    }
  }

  private void lose(Queued queued) {
    lost[queued.kind.ordinal()].addAndGet(queued.count);
  }

  private void say(String what) {
    tell("warning: MLflow at " + client.uri() + " " + what);
  }

  /** Tells the user something. */
  void tell(String line) {
    try {
      messages.accept(line);
    } catch (RuntimeException e) {
      // A failing listener must not affect the job.
    }
  }

  /** Sends what is queued, as long as the server takes it, and nothing after it. */
  void finish() {
    progressed();
    long start = System.nanoTime();
    finishing.countDown();
    thread.shutdown();
    List<Queued> left = new ArrayList<>();
    try {
      while (!thread.awaitTermination(patience.silence().toNanos() / 10, TimeUnit.NANOSECONDS)) {
        long now = System.nanoTime();
        boolean silent = now - progressAt > patience.silence().toNanos();
        if (silent || now - start > patience.end().toNanos()) {
          if (silent && away == null) {
            away = new IOException("no answer in time");
          }
          givenUp.countDown();
          thread.shutdownNow().forEach(task -> left.add((Queued) task));
          // The request under way is interrupted.
          thread.awaitTermination(patience.silence().toNanos(), TimeUnit.NANOSECONDS);
          break;
        }
      }
    } catch (InterruptedException e) {
      thread.shutdownNow().forEach(task -> left.add((Queued) task));
      Thread.currentThread().interrupt();
    }
    left.forEach(this::last);
    if (reported.compareAndSet(false, true)) {
      report();
    }
  }

  /** The last chance of a request: a file may have taken too long, and not the server be away. */
  private void last(Queued queued) {
    if (queued.kind == Kind.RUNS && away == null && !Thread.currentThread().isInterrupted()) {
      try {
        queued.request.send(client);
        return;
      } catch (MlflowRefusal e) {
        if (!e.is(MlflowRefusal.NOT_BEGUN)) {
          refused(e);
          return;
        }
      } catch (IOException e) {
        away = e;
      } catch (RuntimeException e) {
        refused(new MlflowRefusal("", e.toString()));
        return;
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
    lose(queued);
  }

  private void report() {
    List<String> parts = new ArrayList<>();
    for (Kind kind : Kind.values()) {
      long count = lost[kind.ordinal()].get();
      if (count > 0) {
        parts.add(count + " " + kind.text);
      }
    }
    if (refusals.get() > 1) {
      say("has refused %d requests".formatted(refusals.get()));
    }
    // That a server does not answer is said once.
    if (!parts.isEmpty() && (away == null || !warned)) {
      say(
          "lacks %s of this job%s"
              .formatted(
                  String.join(", ", parts),
                  away == null ? "" : ": it does not answer (%s)".formatted(away.getMessage())));
    }
  }
}
