package io.guilomo.kernel;

import java.lang.ref.Reference;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntConsumer;

/**
 * Runs the ranges of one operation on the calling thread and shared helper threads. Ranges depend
 * only on the size of the operation, never on the number of threads, so results do not depend on
 * which thread runs what.
 */
public class KernelThreads {
  private static final int PROCESSORS = Runtime.getRuntime().availableProcessors();
  private static final int SPINS = 4096;
  private static final AtomicInteger LIMIT = new AtomicInteger(PROCESSORS);
  private static final ThreadPoolExecutor HELPERS =
      new ThreadPoolExecutor(
          Math.max(1, PROCESSORS - 1),
          Math.max(1, PROCESSORS - 1),
          0,
          TimeUnit.SECONDS,
          new SpinningQueue(),
          task -> {
            Thread thread = new Thread(task, "guilomo-kernel");
            thread.setDaemon(true);
            return thread;
          });

  /** Number of replicas that share the threads while the calling thread runs one of them. */
  private static final ThreadLocal<AtomicInteger> UNDER_WAY =
      ThreadLocal.withInitial(() -> new AtomicInteger(1));

  public interface Range {
    void run(int from, int to);
  }

  private KernelThreads() {}

  static void limit(int threads) {
    LIMIT.set(threads);
  }

  /**
   * Runs {@code body} on {@code [0, count)} in ranges of {@code size}; returns when all have
   * finished.
   */
  public static void run(int count, int size, Range body) {
    int ranges = (count + size - 1) / size;
    int helpers = Math.min(Math.min(available(), ranges) - 1, HELPERS.getMaximumPoolSize());
    if (helpers < 1) {
      for (int from = 0; from < count; from += size) {
        body.run(from, Math.min(count, from + size));
      }
      // The body reads the memory of these arrays by address.
      Reference.reachabilityFence(body);
      return;
    }
    Job job = new Job(count, size, ranges, body);
    for (int i = 0; i < helpers; i++) {
      HELPERS.execute(job);
    }
    job.run();
    job.await();
  }

  /** Number of threads that an operation of the calling thread may use. */
  public static int available() {
    return Math.max(1, LIMIT.get() / UNDER_WAY.get().get());
  }

  /**
   * Runs {@code body} for each replica concurrently; the last one gets the threads of those that
   * have finished.
   */
  public static void runConcurrently(int replicas, IntConsumer body) {
    AtomicInteger underWay = new AtomicInteger(replicas);
    run(
        replicas,
        1,
        (from, to) -> {
          AtomicInteger before = UNDER_WAY.get();
          UNDER_WAY.set(underWay);
          try {
            body.accept(from);
          } finally {
            underWay.decrementAndGet();
            UNDER_WAY.set(before);
          }
        });
  }

  /** Spins briefly before sleeping: the next operation of a step usually follows immediately. */
  private static class SpinningQueue extends LinkedBlockingQueue<Runnable> {
    @Override
    public Runnable take() throws InterruptedException {
      for (int spins = 0; spins < SPINS; spins++) {
        Runnable task = poll();
        if (task != null) {
          return task;
        }
        Thread.onSpinWait();
      }
      return super.take();
    }
  }

  private static class Job implements Runnable {
    private final int count;
    private final int size;
    private final int ranges;
    private final Range body;
    private final AtomicInteger next = new AtomicInteger();
    private final AtomicInteger finished = new AtomicInteger();
    private final AtomicReference<Throwable> failure = new AtomicReference<>();

    Job(int count, int size, int ranges, Range body) {
      this.count = count;
      this.size = size;
      this.ranges = ranges;
      this.body = body;
    }

    @Override
    public void run() {
      for (int range = next.getAndIncrement(); range < ranges; range = next.getAndIncrement()) {
        try {
          body.run(range * size, Math.min(count, (range + 1) * size));
        } catch (RuntimeException | Error e) {
          failure.compareAndSet(null, e);
        } finally {
          finished.incrementAndGet();
        }
      }
    }

    /** Waits for the ranges that helpers took; the caller has run the others itself. */
    void await() {
      for (int spins = 0; finished.get() < ranges; spins++) {
        if (spins < SPINS) {
          Thread.onSpinWait();
        } else {
          Thread.yield();
        }
      }
      Reference.reachabilityFence(body);
      Throwable thrown = failure.get();
      if (thrown instanceof Error error) {
        throw error;
      } else if (thrown != null) {
        throw (RuntimeException) thrown;
      }
    }
  }
}
