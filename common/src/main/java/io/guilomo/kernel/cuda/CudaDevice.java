package io.guilomo.kernel.cuda;

import io.guilomo.model.UserException;
import java.nio.charset.StandardCharsets;

/** One card, in the context that everything of this process shares. */
final class CudaDevice {

  /** The card whose context the driver has current in the thread. */
  private static final ThreadLocal<CudaDevice> CURRENT = new ThreadLocal<>();

  private final int ordinal;
  private final int handle;
  private long context;
  private final String name;
  private final int capability;

  private CudaDevice(int ordinal) {
    this.ordinal = ordinal;
    this.handle =
        Driver.integer(device -> Driver.cuDeviceGet(device, ordinal), "cuDeviceGet of " + ordinal);
    byte[] text = new byte[256];
    Driver.check(Driver.cuDeviceGetName(text, text.length, handle), "cuDeviceGetName");
    this.name = new String(text, StandardCharsets.UTF_8).replaceAll("\0.*", "");
    this.capability = 10 * attribute(Driver.CAPABILITY_MAJOR) + attribute(Driver.CAPABILITY_MINOR);
  }

  static int count() {
    Driver.check(Driver.cuInit(0), "cuInit");
    return Driver.integer(Driver::cuDeviceGetCount, "cuDeviceGetCount");
  }

  static CudaDevice open(int ordinal) {
    int count = count();
    if (ordinal < 0 || ordinal >= count) {
      throw new UserException("Cannot compute on GPU %d: this process sees %d", ordinal, count);
    }
    return new CudaDevice(ordinal);
  }

  /** Such as {@code 13.0}: the newest CUDA that the driver runs. */
  static String driverVersion() {
    int version = Driver.integer(Driver::cuDriverGetVersion, "cuDriverGetVersion");
    return version / 1000 + "." + version % 1000 / 10;
  }

  /** Makes the calling thread use this card. The first call takes memory of the card. */
  void use() {
    if (CURRENT.get() != this) {
      Driver.check(Driver.cuCtxSetCurrent(context()), "cuCtxSetCurrent");
      CURRENT.set(this);
    }
  }

  private synchronized long context() {
    if (context == 0) {
      context =
          Driver.address(
              primary -> Driver.cuDevicePrimaryCtxRetain(primary, handle),
              "cuDevicePrimaryCtxRetain");
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
    return Driver.integer(
        value -> Driver.cuDeviceGetAttribute(value, attribute, handle),
        "cuDeviceGetAttribute " + attribute);
  }

  long totalMemory() {
    return Driver.address(bytes -> Driver.cuDeviceTotalMem_v2(bytes, handle), "cuDeviceTotalMem");
  }

  long freeMemory() {
    use();
    return Driver.address(free -> Driver.cuMemGetInfo_v2(free, new long[1]), "cuMemGetInfo");
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
          "Cannot allocate %.2f GB more on GPU %d (%s): %.2f of %.2f GB are free; take smaller"
              + " batches, a shorter model.max-length or model.precision=bfloat16",
          bytes / 1e9, ordinal, name, freeMemory() / 1e9, totalMemory() / 1e9);
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
