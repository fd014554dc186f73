package io.guilomo.kernel.cuda;

import com.sun.jna.Pointer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/**
 * The one queue of a card's work, and the copies between host and card in it. What is queued under
 * this object's lock runs without anything between.
 */
final class CudaStream {
  private static final int BLOCK = 4 << 20;
  private static final int RING = 8 << 20;

  private final CudaDevice device;
  private final long stream;
  private final ConcurrentLinkedDeque<Pinned> blocks = new ConcurrentLinkedDeque<>();
  private final Pinned[] halves;
  private final AtomicLong launches = new AtomicLong();
  private final AtomicLong waits = new AtomicLong();
  private final AtomicLong bytesToDevice = new AtomicLong();
  private final AtomicLong bytesToHost = new AtomicLong();
  private int half;
  private int used;

  CudaStream(CudaDevice device) {
    this.device = device;
    device.use();
    long[] created = new long[1];
    Driver.check(Driver.cuStreamCreate(created, Driver.NON_BLOCKING), "cuStreamCreate");
    this.stream = created[0];
    this.halves = new Pinned[] {new Pinned(RING / 2), new Pinned(RING / 2)};
  }

  /** Host memory that the card copies by itself, and an event after its last use. */
  private static final class Pinned {
    final long address;
    final ByteBuffer bytes;
    final long event;

    Pinned(int size) {
      long[] result = new long[1];
      Driver.check(Driver.cuMemAllocHost_v2(result, size), "cuMemAllocHost of " + size + " bytes");
      this.address = result[0];
      this.bytes = new Pointer(address).getByteBuffer(0, size).order(ByteOrder.nativeOrder());
      Driver.check(Driver.cuEventCreate(result, Driver.NO_TIMING), "cuEventCreate");
      this.event = result[0];
    }
  }

  CudaDevice device() {
    return device;
  }

  long handle() {
    return stream;
  }

  /** Since the process began: what tests hold a step to. */
  CudaWork work() {
    return new CudaWork(launches.get(), waits.get(), bytesToDevice.get(), bytesToHost.get());
  }

  void launched() {
    launches.incrementAndGet();
  }

  /** Waits until everything queued is done. */
  void finish() {
    device.use();
    waits.incrementAndGet();
    Driver.check(Driver.cuStreamSynchronize(stream), "cuStreamSynchronize");
  }

  /** Queues a small copy; the array may be reused at once. */
  void write(int[] source, long target) {
    int bytes = Math.multiplyExact(source.length, Integer.BYTES);
    if (bytes > RING / 2) {
      throw new IllegalArgumentException(
          "Cannot use %d indices at once: %d fit".formatted(source.length, RING / 8));
    }
    ring(bytes, target, ring -> ring.asIntBuffer().put(source));
  }

  /** Queues a copy; the array may be reused at once. Waits for it if it is large. */
  void write(float[] source, int first, int count, long target) {
    if (count * (long) Float.BYTES <= RING / 16) {
      ring(count * Float.BYTES, target, ring -> ring.asFloatBuffer().put(source, first, count));
      return;
    }
    Pinned block = borrow();
    int most = BLOCK / Float.BYTES;
    for (int done = 0; done < count; done += most) {
      int part = Math.min(most, count - done);
      block.bytes.position(0);
      block.bytes.asFloatBuffer().put(source, first + done, part);
      synchronized (this) {
        queue(block, 0, target + (long) done * Float.BYTES, part * Float.BYTES);
        Driver.check(Driver.cuEventRecord(block.event, stream), "cuEventRecord");
      }
      await(block);
    }
    blocks.push(block);
  }

  /** Queues a small copy by way of the ring, where an earlier one has left room. */
  private synchronized void ring(int bytes, long target, Consumer<ByteBuffer> content) {
    device.use();
    if (used + bytes > RING / 2) {
      Driver.check(Driver.cuEventRecord(halves[half].event, stream), "cuEventRecord");
      half = 1 - half;
      used = 0;
      Driver.check(Driver.cuEventSynchronize(halves[half].event), "cuEventSynchronize");
    }
    Pinned ring = halves[half];
    ring.bytes.position(used);
    content.accept(ring.bytes);
    queue(ring, used, target, bytes);
    used += bytes;
  }

  private void queue(Pinned from, int offset, long target, int bytes) {
    bytesToDevice.addAndGet(bytes);
    Driver.check(
        Driver.cuMemcpyHtoDAsync_v2(target, from.address + offset, bytes, stream),
        "a copy of " + bytes + " bytes to the card");
  }

  void copy(long source, long target, long bytes) {
    device.use();
    Driver.check(
        Driver.cuMemcpyDtoDAsync_v2(target, source, bytes, stream),
        "a copy of " + bytes + " bytes within the card");
  }

  void read(long source, float[] target, int count) {
    read(source, count, Float.BYTES, (b, done, n) -> b.asFloatBuffer().get(target, done, n));
  }

  void read(long source, double[] target, int count) {
    read(source, count, Double.BYTES, (b, done, n) -> b.asDoubleBuffer().get(target, done, n));
  }

  int[] readInts(long source, int count) {
    int[] target = new int[count];
    read(source, count, Integer.BYTES, (b, done, n) -> b.asIntBuffer().get(target, done, n));
    return target;
  }

  /** Takes elements {@code done .. done + count − 1} of an array, which are first in the bytes. */
  private interface Part {
    void take(ByteBuffer bytes, int done, int count);
  }

  private void read(long source, int count, int width, Part part) {
    Pinned block = borrow();
    int most = BLOCK / width;
    for (int done = 0; done < count; done += most) {
      int length = Math.min(most, count - done);
      fetch(block, source + (long) done * width, length * width);
      part.take(block.bytes, done, length);
    }
    blocks.push(block);
  }

  private void fetch(Pinned block, long source, int bytes) {
    device.use();
    synchronized (this) {
      bytesToHost.addAndGet(bytes);
      Driver.check(
          Driver.cuMemcpyDtoHAsync_v2(block.address, source, bytes, stream),
          "a copy of " + bytes + " bytes from the card");
      Driver.check(Driver.cuEventRecord(block.event, stream), "cuEventRecord");
    }
    // Not under the lock: other threads may queue their work meanwhile.
    await(block);
    block.bytes.position(0);
  }

  private void await(Pinned block) {
    waits.incrementAndGet();
    Driver.check(Driver.cuEventSynchronize(block.event), "cuEventSynchronize");
  }

  private Pinned borrow() {
    device.use();
    Pinned free = blocks.poll();
    return free == null ? new Pinned(BLOCK) : free;
  }
}
