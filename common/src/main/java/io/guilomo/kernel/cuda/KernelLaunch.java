package io.guilomo.kernel.cuda;

import com.sun.jna.Memory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashSet;
import java.util.Set;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Packs the arguments of one kernel and launches it. One launch is prepared at a time, under the
 * stream's lock.
 */
final class KernelLaunch {
  private static final int PARAMETER_BYTES = 1024;
  private static final long BUFFER_POINTER = 1;
  private static final long BUFFER_SIZE = 2;
  private static final int DEFAULT_SHARED = 48 << 10;
  private static final int WARP = 32;
  private static final int THREADS = 256;

  private final CudaStream stream;
  private final KernelModules modules;
  private final Memory memory = new Memory(PARAMETER_BYTES);
  private final ByteBuffer parameters =
      memory.getByteBuffer(0, PARAMETER_BYTES).order(ByteOrder.nativeOrder());
  private final Memory size = new Memory(Long.BYTES);
  private final Memory extra = new Memory(5L * Long.BYTES);
  private final Set<Long> largeShared = new HashSet<>();
  private String kernel;
  private long function;

  KernelLaunch(CudaStream stream, KernelModules modules) {
    this.stream = stream;
    this.modules = modules;
    extra.setLong(0, BUFFER_POINTER);
    extra.setPointer(8, memory);
    extra.setLong(16, BUFFER_SIZE);
    extra.setPointer(24, size);
    extra.setLong(32, 0);
  }

  /** Starts the arguments of a kernel; see {@link KernelModules#function}. */
  KernelLaunch of(String module, String definitions, String name) {
    stream.device().use();
    this.kernel = name;
    this.function = modules.function(module, definitions, name);
    parameters.clear();
    return this;
  }

  KernelLaunch integer(int... values) {
    for (int value : values) {
      parameters.putInt(value);
    }
    return this;
  }

  KernelLaunch flag(boolean value) {
    return integer(value ? 1 : 0);
  }

  KernelLaunch real(float value) {
    parameters.putFloat(value);
    return this;
  }

  /** Pointers, or other arguments of 64 bits. */
  KernelLaunch address(long... values) {
    if (parameters.position() % Long.BYTES != 0) {
      parameters.putInt(0);
    }
    for (long value : values) {
      parameters.putLong(value);
    }
    return this;
  }

  KernelLaunch real64(double value) {
    return address(Double.doubleToRawLongBits(value));
  }

  /** The addresses of vectors; 0 for null. */
  KernelLaunch vector(INDArray... arrays) {
    for (INDArray array : arrays) {
      address(DeviceArrays.address(array));
    }
    return this;
  }

  /** The address of each matrix and the elements from one of its rows to the next. */
  KernelLaunch matrix(INDArray... arrays) {
    for (INDArray array : arrays) {
      address(DeviceArrays.address(array), DeviceArrays.stride(array));
    }
    return this;
  }

  /** Launches blocks of rows, whose columns the threads of a row share. */
  void rows(long rows, long columns) {
    int wide = WARP;
    while (wide < THREADS && wide < columns) {
      wide *= 2;
    }
    int high = THREADS / wide;
    run(Math.toIntExact((rows + high - 1) / high), 1, wide, high, 0);
  }

  /** Launches a block of {@value #THREADS} threads a row. */
  void blockPerRow(long rows) {
    run(Math.toIntExact(rows), 1, THREADS, 1, 0);
  }

  /** Launches threads that stride over elements, in at most {@code blocks} blocks. */
  void elements(long count, int blocks) {
    run((int) Math.min(blocks, (count + THREADS - 1) / THREADS), 1, THREADS, 1, 0);
  }

  /**
   * @param shared bytes of shared memory beside what the kernel declares
   */
  void run(int gridX, int gridY, int blockX, int blockY, int shared) {
    if (shared > DEFAULT_SHARED && largeShared.add(function)) {
      Driver.check(
          Driver.cuFuncSetAttribute(function, Driver.MAX_DYNAMIC_SHARED, shared),
          kernel + " with " + shared + " bytes of shared memory");
    }
    size.setLong(0, parameters.position());
    stream.launched();
    int result =
        Driver.cuLaunchKernel(
            function,
            gridX,
            gridY,
            1,
            blockX,
            blockY,
            1,
            shared,
            stream.handle(),
            0,
            com.sun.jna.Pointer.nativeValue(extra));
    if (result != 0) {
      Driver.check(
          result,
          "%s of %d × %d blocks of %d × %d threads"
              .formatted(kernel, gridX, gridY, blockX, blockY));
    }
  }
}
