package io.guilomo.kernel.cuda;

import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Platform;
import com.sun.jna.Pointer;
import java.util.function.ToIntFunction;

/**
 * The functions of CUDA's driver that are used, under their names there. Pointers of host and
 * device are {@code long}s; results other than 0 are errors.
 */
final class Driver {
  static final int CAPABILITY_MAJOR = 75;
  static final int CAPABILITY_MINOR = 76;
  static final int MULTIPROCESSORS = 16;
  static final int MAX_DYNAMIC_SHARED = 8;
  static final int OUT_OF_MEMORY = 2;
  static final int NON_BLOCKING = 1;
  static final int NO_TIMING = 2;

  static {
    // nvidia-smi and Spark's discovery number cards by their slots, CUDA the fastest first.
    NativeLibrary.getInstance(Platform.C_LIBRARY_NAME)
        .getFunction("setenv")
        .invokeInt(new Object[] {"CUDA_DEVICE_ORDER", "PCI_BUS_ID", 0});
    Native.register(Driver.class, CudaLibraries.driver());
  }

  private Driver() {}

  static native int cuInit(int flags);

  static native int cuDriverGetVersion(int[] version);

  static native int cuDeviceGetCount(int[] count);

  static native int cuDeviceGet(int[] device, int ordinal);

  static native int cuDeviceGetName(byte[] name, int length, int device);

  static native int cuDeviceTotalMem_v2(long[] bytes, int device);

  static native int cuDeviceGetAttribute(int[] value, int attribute, int device);

  static native int cuDevicePrimaryCtxRetain(long[] context, int device);

  static native int cuCtxSetCurrent(long context);

  static native int cuMemGetInfo_v2(long[] free, long[] total);

  static native int cuMemAlloc_v2(long[] address, long bytes);

  static native int cuMemFree_v2(long address);

  static native int cuMemAllocHost_v2(long[] address, long bytes);

  static native int cuMemcpyHtoDAsync_v2(long target, long source, long bytes, long stream);

  static native int cuMemcpyDtoHAsync_v2(long target, long source, long bytes, long stream);

  static native int cuMemcpyDtoDAsync_v2(long target, long source, long bytes, long stream);

  static native int cuStreamCreate(long[] stream, int flags);

  static native int cuStreamSynchronize(long stream);

  static native int cuEventCreate(long[] event, int flags);

  static native int cuEventRecord(long event, long stream);

  static native int cuEventSynchronize(long event);

  static native int cuModuleLoadData(long[] module, byte[] image);

  static native int cuModuleGetFunction(long[] function, long module, String name);

  static native int cuFuncSetAttribute(long function, int attribute, int value);

  static native int cuLaunchKernel(
      long function,
      int gridX,
      int gridY,
      int gridZ,
      int blockX,
      int blockY,
      int blockZ,
      int sharedBytes,
      long stream,
      long parameters,
      long extra);

  static native int cuGetErrorName(int error, long[] name);

  static native int cuGetErrorString(int error, long[] text);

  /**
   * @param what was called, with its figures
   * @throws CudaException if the result is an error
   */
  static void check(int result, String what) {
    if (result != 0) {
      throw new CudaException("the driver", error(result), what);
    }
  }

  /** The number that a function writes to its first argument. */
  static int integer(ToIntFunction<int[]> function, String what) {
    int[] result = new int[1];
    check(function.applyAsInt(result), what);
    return result[0];
  }

  /** The number or the pointer that a function writes to its first argument. */
  static long address(ToIntFunction<long[]> function, String what) {
    long[] result = new long[1];
    check(function.applyAsInt(result), what);
    return result[0];
  }

  /** CUDA's name of an error and what it says of it. */
  static String error(int result) {
    long[] name = new long[1];
    long[] text = new long[1];
    if (cuGetErrorName(result, name) != 0 || cuGetErrorString(result, text) != 0) {
      return "error " + result;
    }
    return "%s (%s)"
        .formatted(new Pointer(name[0]).getString(0), new Pointer(text[0]).getString(0));
  }
}
