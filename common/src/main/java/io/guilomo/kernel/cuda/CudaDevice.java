package io.guilomo.kernel.cuda;

import io.guilomo.model.UserException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/** One card, in the context that everything of this process shares. */
final class CudaDevice {
  private final int ordinal;
  private final int handle;
  private long context;
  private final String name;
  private final int capability;
  private final ThreadLocal<Boolean> current = ThreadLocal.withInitial(() -> false);

  private CudaDevice(int ordinal) {
    this.ordinal = ordinal;
    int[] device = new int[1];
    Driver.check(Driver.cuDeviceGet(device, ordinal), "cuDeviceGet of " + ordinal);
    this.handle = device[0];
    byte[] text = new byte[256];
    Driver.check(Driver.cuDeviceGetName(text, text.length, handle), "cuDeviceGetName");
    this.name = new String(text, StandardCharsets.UTF_8).replaceAll("\0.*", "");
    this.capability = 10 * attribute(Driver.CAPABILITY_MAJOR) + attribute(Driver.CAPABILITY_MINOR);
  }

  /** Cards that this process sees. */
  static int count() {
    Driver.check(Driver.cuInit(0), "cuInit");
    int[] count = new int[1];
    Driver.check(Driver.cuDeviceGetCount(count), "cuDeviceGetCount");
    return count[0];
  }

  static CudaDevice open(int ordinal) {
    int count = count();
    if (ordinal < 0 || ordinal >= count) {
      throw new UserException(
          "Cannot compute on GPU %d: this process sees %d".formatted(ordinal, count));
    }
    return new CudaDevice(ordinal);
  }

  /** Such as {@code 13.0}: the newest CUDA that the driver runs. */
  static String driverVersion() {
    int[] version = new int[1];
    Driver.check(Driver.cuDriverGetVersion(version), "cuDriverGetVersion");
    return version[0] / 1000 + "." + version[0] % 1000 / 10;
  }

  /** Makes the calling thread use this card. The first call takes memory of the card. */
  void use() {
    if (!current.get()) {
      Driver.check(Driver.cuCtxSetCurrent(context()), "cuCtxSetCurrent");
      current.set(true);
    }
  }

  private synchronized long context() {
    if (context == 0) {
      long[] primary = new long[1];
      Driver.check(Driver.cuDevicePrimaryCtxRetain(primary, handle), "cuDevicePrimaryCtxRetain");
      context = primary[0];
    }
    return context;
  }

  int ordinal() {
    return ordinal;
  }

  String name() {
    return name;
  }

  /** Major and minor version of its compute capability: 90 for 9.0. */
  int capability() {
    return capability;
  }

  int multiprocessors() {
    return attribute(Driver.MULTIPROCESSORS);
  }

  private int attribute(int attribute) {
    int[] value = new int[1];
    Driver.check(
        Driver.cuDeviceGetAttribute(value, attribute, handle), "cuDeviceGetAttribute " + attribute);
    return value[0];
  }

  /** Bytes. */
  long totalMemory() {
    long[] bytes = new long[1];
    Driver.check(Driver.cuDeviceTotalMem_v2(bytes, handle), "cuDeviceTotalMem");
    return bytes[0];
  }

  /** Bytes. */
  long freeMemory() {
    use();
    long[] free = new long[1];
    Driver.check(Driver.cuMemGetInfo_v2(free, new long[1]), "cuMemGetInfo");
    return free[0];
  }

  /**
   * Memory of the card.
   *
   * @throws UserException with the figures if there is not enough
   */
  long allocate(long bytes) {
    use();
    long[] address = new long[1];
    int result = Driver.cuMemAlloc_v2(address, Math.max(bytes, 16));
    if (result == Driver.OUT_OF_MEMORY) {
      throw new UserException(
          String.format(
              Locale.ROOT,
              "Cannot allocate %.2f GB more on GPU %d (%s): %.2f of %.2f GB are free; take smaller"
                  + " batches, a shorter model.max-length or model.precision=bfloat16",
              bytes / 1e9,
              ordinal,
              name,
              freeMemory() / 1e9,
              totalMemory() / 1e9));
    }
    Driver.check(result, "cuMemAlloc of " + bytes + " bytes");
    return address[0];
  }

  /** Waits for all that runs. */
  void free(long address) {
    use();
    Driver.check(Driver.cuMemFree_v2(address), "cuMemFree");
  }
}
